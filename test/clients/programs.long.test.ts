import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/programs.ts';
import { type RunningService, startService } from '../support/service.ts';
import { STORY } from './story.ts';
import { goClient, python } from './tools.ts';

// Programs in other languages, with code that their own tools generate from proto/.

const run = promisify(execFile);

// Before any hook: Node.js 20 runs hooks of a file before tests that follow a top-level `await`.
const [go, py] = [await goClient(), await python()];

suite('the life of a cluster', () => {
  let service: RunningService;
  before(async () => {
    service = await startService();
  });
  after(() => service.stop());

  const toldBy = async (
    path: string,
    args: string[],
    env: Record<string, string> = {},
  ): Promise<string[]> => {
    const options = { timeout: 60_000, env: { ...process.env, ...env } };
    return (await run(path, args, options)).stdout.trimEnd().split('\n');
  };

  for (const how of ['connect', 'grpc', 'grpcweb', 'grpc-go']) {
    test(`by a Go program, over ${how}`, { skip: go.missing }, async () => {
      assert.deepEqual(await toldBy(go.path ?? '', [how, service.url]), STORY);
    });
  }

  test('by a Python program, over grpcio', { skip: py.missing }, async () => {
    const script = join(ROOT, 'test', 'clients', 'python', 'client.py');
    const env = { PYTHONPATH: py.code ?? '', PYTHONDONTWRITEBYTECODE: '1' };
    assert.deepEqual(await toldBy(py.path ?? '', [script, new URL(service.url).host], env), STORY);
  });
});

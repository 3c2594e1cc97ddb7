import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ONLY_IN_LONG_RUNS, slow } from '../slow.ts';
import { ROOT } from '../support/programs.ts';
import { connectConformance } from './programs.ts';

const SERVER = fileURLToPath(new URL('./conformance-server.js', import.meta.url));
const FEATURES = join(ROOT, 'test', 'conformance', 'conformance.yaml');
/**
 * The number of cases of version 1.0.7 for those features. Another number means that the features, or what the suite
 * reads of them, have changed.
 */
const CASES = 3640;

const suite = await connectConformance();
const skip = slow ? suite.missing : ONLY_IN_LONG_RUNS;

test('the official conformance suite of Connect, gRPC and gRPC-Web passes', { skip }, async (context) => {
  const args = ['--mode', 'server', '--conf', FEATURES, '--parallel', '8', '--', process.execPath, SERVER];
  const { code, output } = await run(suite.path ?? '', args);
  const [, cases = '', passed = '', failed = ''] =
    /Total cases: (\d+)\n(\d+) passed, (\d+) failed/.exec(output) ?? [];
  context.diagnostic(`${cases} cases: ${passed} passed, ${failed} failed`);
  assert.equal(failed, '0', output);
  assert.equal(passed, String(CASES), output);
  assert.equal(code, 0, output);
});

/** Runs a program to its end, whatever its exit code. */
function run(path: string, args: readonly string[]): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(path, args, { maxBuffer: 256 << 20 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
}

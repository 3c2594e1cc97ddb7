import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../bench/main.js', import.meta.url));
const LIMIT_MS = 120_000;

interface Ending {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function bench(...args: readonly string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { timeout: LIMIT_MS }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
  });
}

// test/readme.test.ts runs all parts briefly, in a long run.
test('the benchmark measures an operation, reports whether targets are met, and compares runs', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'result.json');
  const first = await bench('--smoke', '--only', 'calls: v2 size', '--json', file);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /^\| v2 reads: half of the rate of bare Node +\| at least 0\.50 \| /m);
  assert.match(first.out, /^\| v2 size +\| +2 \| +\d+/m);
  const { calls, about } = JSON.parse(readFileSync(file, 'utf8')) as {
    calls: { operation: string; ratio: { median: number } }[];
    about: { node: string };
  };
  assert.equal(about.node, process.version);
  assert.deepEqual(
    calls.map(({ operation }) => operation),
    ['v2 size'],
  );
  assert.ok(calls.every(({ ratio }) => ratio.median > 0));

  const second = await bench('--smoke', '--only', 'calls: v2 size', '--compare', file);
  assert.equal(second.code, 0, second.err);
  assert.match(second.out, /^\| v2 size, 2 in flight: rate \/ bare Node HTTP +\| /m);
});

test('the benchmark rejects an unknown name and lists the known ones', async () => {
  const { code, err } = await bench('--only', 'nothing of the kind');
  assert.equal(code, 2);
  assert.match(err, /^--only: [^]*calls: v2 size[^]*many tokens: start/);
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const TERMINAL = new URL('../../src/cli/terminal.js', import.meta.url).href;
const WRITE = `import { processTerminal } from '${TERMINAL}';
const { out } = processTerminal();
for (let line = 0; line < 20000; line += 1) out('line ' + line + '\\n');`;
const EXPECTED = Array.from({ length: 20_000 }, (_, line) => `line ${line}\n`).join('');

test('all of an output reaches a file and a pipe', () => {
  const args = ['--input-type=module', '--eval', WRITE];
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), EXPECTED);
});

test('all of an output reaches a pipe that does not wait for its reader', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', WRITE], {
    stdio: ['ignore', end, 'inherit'],
  });
  const exited = once(child, 'exit');
  let text = '';
  const buffer = Buffer.alloc(4096);
  while (text.length < EXPECTED.length) {
    try {
      text += buffer.toString('latin1', 0, readSync(end, buffer));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  assert.equal(text, EXPECTED);
  assert.deepEqual(await exited, [0, null]);
  closeSync(end);
});

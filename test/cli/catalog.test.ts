import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CATALOG } from '../../src/cli/catalog.ts';

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../dist/src/main.cjs', import.meta.url));

test('each row of the catalog loads its own command', async () => {
  for (const { load, name } of CATALOG) assert.equal((await load()).name, name);
});

test('the program starts with one file that has little more than its short commands', () => {
  const code = readFileSync(MAIN, 'utf8');
  assert.ok(code.length < 75_000, `${code.length} bytes are loaded before the command runs`);
  assert.doesNotMatch(code, /\brequire\(/);
});

/** Returns the modules of Node.js that a call has loaded by its end. */
async function builtins(...args: readonly string[]): Promise<string[]> {
  const probe = "process.once('exit', () => console.error(JSON.stringify(process.moduleLoadList)))";
  const flags = ['--import', `data:text/javascript,${probe}`];
  const { stderr } = await exec(process.execPath, [...flags, ...args]);
  return JSON.parse(stderr) as string[];
}

test('commands that call no service load no client', async () => {
  // Some versions of Node.js load a part of it in every program.
  const bare = await builtins('--eval', '0');
  for (const args of [['--help'], ['version'], ['serve', '--help']]) {
    const loaded = await builtins(MAIN, ...args);
    const heavy = loaded.filter((name) => /undici/.test(name) && !bare.includes(name));
    assert.deepEqual(heavy, [], args.join(' '));
  }
});

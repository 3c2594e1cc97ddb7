import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CATALOG } from '../../src/cli/catalog.ts';

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../dist/src/main.cjs', import.meta.url));

test('each row of the catalog loads its own command', async () => {
  for (const { load, name } of CATALOG) assert.equal((await load()).name, name);
});

test('the program starts with one small file, and each short command has one more', () => {
  const code = readFileSync(MAIN, 'utf8');
  assert.ok(code.length < 12_000, `${code.length} bytes are loaded before the command runs`);
  const parts = join(dirname(MAIN), 'parts');
  const short = readdirSync(parts).filter((name) => name.endsWith('.cjs'));
  const required = [...code.matchAll(/\brequire\(([^)]*)\)/g)].map(([, path]) => path);
  assert.deepEqual(new Set(required), new Set(short.map((name) => `"./parts/${name}"`)));
  for (const name of short) {
    const command = readFileSync(join(parts, name), 'utf8');
    assert.ok(command.length < 50_000, `${name}: ${command.length} bytes`);
    assert.doesNotMatch(command, /\brequire\(/, name);
  }
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

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CATALOG } from '../../src/cli/catalog.ts';

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));

test('each row of the catalog loads its own command', async () => {
  for (const { load, name } of CATALOG) assert.equal((await load()).name, name);
});

/** Returns the size of a module and of everything loaded before it runs. */
function bytesBefore(file: string, seen = new Set<string>()): number {
  if (seen.has(file)) return 0;
  seen.add(file);
  const code = readFileSync(file, 'utf8');
  const imported = [...code.matchAll(/\b(?:from|import)\s*"(\.[^"]+)"/g)].map(([, path = '']) => path);
  return imported.reduce((sum, path) => sum + bytesBefore(join(dirname(file), path), seen), code.length);
}

test('the program starts by loading little more than its list of commands', () => {
  const bytes = bytesBefore(MAIN);
  assert.ok(bytes < 24_000, `${bytes} bytes are loaded before the command runs`);
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

// Gets a clone ready to run: installs the npm packages and compiles, each only where something changed.
// No import from node_modules here: this runs before there is one. As a command: node src/dev/prepare.mjs

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the clone. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Says what went wrong in a line and ends the process with exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Brings node_modules in line with package-lock.json. Does nothing when it is. */
export function install() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    const is = `This is Node.js ${process.versions.node}, and 20.20 or newer is needed`;
    fail(`${is}: install Node.js 24 from https://nodejs.org and try again.`);
  }
  alone(() => {
    if (isInstalled()) return;
    console.error('Installing the npm packages: node_modules is not what package-lock.json says.');
    // A user's or a CI's settings may leave out the compiler (dev) or the store's binary (optional).
    const flags = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
    // Without a network npm's own settings keep a person waiting for over a minute.
    const retries = ['--fetch-retries=3', '--fetch-retry-factor=3', '--fetch-retry-mintimeout=1000'];
    const { error, status } = spawnSync('npm', ['ci', ...flags, ...retries, '--loglevel=error'], {
      cwd: ROOT,
      shell: process.platform === 'win32',
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) fail(`The npm packages are not installed: ${error?.message ?? 'see the lines above'}.`);
  });
}

/** Brings dist/ in line with the sources. What does not compile leaves the last build alone. Needs `install` first. */
export function build() {
  const run = (command, otherwise) => {
    const { status } = spawnSync(process.execPath, command, { cwd: ROOT, stdio: 'inherit' });
    if (status !== 0) fail(`${otherwise}: see the lines above.`);
  };
  alone(() => {
    const built = join(ROOT, 'dist', '.built');
    const began = Date.now();
    if (existsSync(built) && lastChange() < Number(readFileSync(built, 'utf8'))) return;
    run(['node_modules/typescript/bin/tsc'], 'The sources do not compile');
    removeOrphans();
    run(['src/dev/bundle.mjs'], 'The web page cannot be bundled');
    writeFileSync(built, String(began));
  });
}

/**
 * When what is compiled or bundled was changed last, a directory by what came or went. Not by the time of the content,
 * which a file keeps that is moved or copied here: the compiler then finds out what is new.
 */
function lastChange() {
  const sources = ['src', 'gen', 'test', 'bench'].flatMap((top) => [
    top,
    ...readdirSync(join(ROOT, top), { recursive: true }).map((name) => join(top, name)),
  ]);
  const paths = ['package-lock.json', 'tsconfig.json', ...sources];
  return Math.max(...paths.map((path) => statSync(join(ROOT, path)).ctimeMs));
}

/** npm writes its record last; what is installed the packages say themselves, whatever npm did to that since. */
function isInstalled() {
  const { '': _root, ...wanted } = readJson('package-lock.json').packages;
  return (
    existsSync(join(ROOT, 'node_modules', '.package-lock.json')) &&
    Object.entries(wanted).every(([path, { version, optional, os, cpu, libc }]) => {
      const found = readJson(`${path}/package.json`)?.version;
      // npm leaves out an optional package for another platform; which libc this one has, only npm knows.
      const isForHere = os?.includes(process.platform) && cpu?.includes(process.arch) && !libc;
      return found === version || (found === undefined && optional && !isForHere);
    })
  );
}

function readJson(file) {
  const path = join(ROOT, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** The compiler leaves what it once made of a source that is gone: a test, say, that would still run. */
function removeOrphans() {
  for (const name of readdirSync(join(ROOT, 'dist'), { recursive: true })) {
    const [stem, rest] = name.split(/\.d\.ts$/);
    if (rest === undefined || existsSync(join(ROOT, `${stem}.ts`))) continue;
    for (const suffix of ['.d.ts', '.js', '.js.map'])
      rmSync(join(ROOT, 'dist', stem + suffix), { force: true });
  }
}

/**
 * Runs `work` in one process at a time: `npm start` and `npm test` may begin together. The lock lies outside the
 * clone, where a process in a container that shares it is not taken for one of ours.
 */
function alone(work) {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `etcd-discovery-prepare-${name}.lock`);
  for (let waits = 0; !take(lock); waits++) {
    if (waits === 10) console.error(`Waiting for another command here (when there is none, delete ${lock}).`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  work();
  process.off('exit', release);
  release();
}

/** Makes the lock file with our process id in it. False when another process holds it, or has just died with it. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    // A file just made may still be empty: its writer lives.
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0) process.kill(holder, 0);
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true });
  }
  return false;
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  install();
  build();
}

// Gets a clone ready to run: installs the npm packages and compiles, each only when something changed.
// No import from node_modules here: this runs before there is one. As a command: node src/dev/prepare.mjs

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the clone. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const NODE_AT_LEAST = [20, 20];
const INSTALL_STAMP = join(ROOT, 'node_modules', '.install-stamp');
const BUILD_STAMP = join(ROOT, 'dist', '.build-stamp');
const COMPILED = /\.([cm]?ts|json|css|svg)$/;
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH/;

/** Says what went wrong in a line and ends the process with exit code 1. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Brings node_modules in line with package-lock.json. Does nothing when it is. */
export function install() {
  requireNode();
  const wanted = installStamp();
  if (contentOf(INSTALL_STAMP) === wanted) return;
  alone(() => {
    const had = contentOf(INSTALL_STAMP);
    if (had === wanted) return;
    const why =
      had === undefined ? 'they are not installed yet' : 'package-lock.json or the platform changed';
    console.error(`Installing the npm packages: ${why}.`);
    // A user's or a CI's settings may leave out the compiler (dev) or the store's binary (optional).
    const flags = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
    // Without a network npm's own settings keep a person waiting for over a minute.
    const retries = ['--fetch-retries=3', '--fetch-retry-factor=3', '--fetch-retry-mintimeout=1000'];
    const result = spawnSync('npm', ['ci', ...flags, ...retries, '--loglevel=error'], {
      cwd: ROOT,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (result.error !== undefined) {
      fail(
        `npm could not be run (${result.error.message}). It comes with Node.js: is its directory on PATH?`,
      );
    }
    process.stderr.write(result.stderr);
    if (result.status !== 0) {
      const network = NO_NETWORK.test(result.stderr);
      fail(
        network
          ? 'The npm packages are not installed: the npm registry cannot be reached. Check the network and try again.'
          : `The npm packages are not installed: npm ci ended with ${result.signal ?? `exit code ${result.status}`}.`,
      );
    }
    writeWhole(INSTALL_STAMP, wanted);
  });
}

/** Brings dist/ in line with the sources. Does nothing when it is. Needs `install` first. */
export function build() {
  const wanted = buildStamp();
  if (contentOf(BUILD_STAMP) === wanted) return;
  alone(() => {
    const had = contentOf(BUILD_STAMP);
    if (had === wanted) return;
    console.error(
      `Compiling to dist/: ${had === undefined ? 'there is no build yet' : 'the sources changed'}.`,
    );
    // Beside dist/ and renamed at the end: a compile that fails leaves the last good build alone, and the
    // output of a source that is gone does not linger. Source maps hold relative paths, so not deeper.
    const fresh = join(ROOT, 'dist.new');
    rmSync(fresh, { recursive: true, force: true });
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const result = spawnSync(process.execPath, [tsc, '--outDir', fresh], { cwd: ROOT, stdio: 'inherit' });
    if (result.status !== 0) {
      rmSync(fresh, { recursive: true, force: true });
      fail('The sources do not compile: see the lines above.');
    }
    const bundle = join(ROOT, 'src', 'dev', 'bundle.mjs');
    if (spawnSync(process.execPath, [bundle, fresh], { cwd: ROOT, stdio: 'inherit' }).status !== 0) {
      rmSync(fresh, { recursive: true, force: true });
      fail('The web page cannot be bundled: see the lines above.');
    }
    writeFileSync(join(fresh, '.build-stamp'), wanted);
    rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
    renameSync(fresh, join(ROOT, 'dist'));
  });
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [atLeastMajor, atLeastMinor] = NODE_AT_LEAST;
  if (major > atLeastMajor || (major === atLeastMajor && minor >= atLeastMinor)) return;
  fail(
    `This is Node.js ${process.versions.node}, and ${NODE_AT_LEAST.join('.')} or newer is needed: ` +
      'install Node.js 24 from https://nodejs.org and try again.',
  );
}

/** No version of Node.js in it: without install scripts, what npm installs does not depend on that. */
function installStamp() {
  const lock = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  return `${lock.digest('hex')} ${process.platform} ${process.arch}\n`;
}

/** A hash of everything that the output of the compiler and the bundler depends on. */
function buildStamp() {
  const hash = createHash('sha256');
  const files = ['package-lock.json', 'tsconfig.json', 'src/dev/bundle.mjs'];
  for (const directory of ['src', 'gen', 'test', 'bench']) files.push(...filesIn(directory).sort());
  for (const file of files) {
    const content = readFileSync(join(ROOT, file));
    hash.update(`${file} ${content.length}\n`).update(content);
  }
  return `${hash.digest('hex')}\n`;
}

function filesIn(directory) {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(path);
    return COMPILED.test(entry.name) ? [path] : [];
  });
}

function contentOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function writeWhole(file, content) {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}

/**
 * Runs `work` while no other process prepares the same clone: `npm start` and `npm test` may begin at once.
 * The lock lies outside the clone, because npm empties node_modules and a build replaces dist/.
 */
function alone(work) {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `etcd-discovery-prepare-${name}.lock`);
  let told = false;
  while (!take(lock)) {
    if (!told)
      console.error(
        `Waiting for another command that prepares this clone (when there is none, delete ${lock}).`,
      );
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  // On exit too, which is where `fail` goes.
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  try {
    work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Makes the lock file with our process id in it. False when a living process holds it. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  // A file just made may still be empty: its writer lives.
  const holder = Number(contentOf(lock) || Number.NaN);
  if (Number.isInteger(holder) && !isAlive(holder)) {
    try {
      unlinkSync(lock);
    } catch {
      // Another waiter was faster.
    }
  }
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  install();
  build();
}

// Debian packages that some tests need, installed if run as root.
// As a command: node test/tools/debian.mjs PACKAGE...

import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const INSTALL_LIMIT_MS = 5 * 60_000;

/** Returns the path of a command on PATH, or undefined. */
export function onPath(command) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, command);
    try {
      accessSync(path, constants.X_OK);
      if (directory !== '') return path;
    } catch {
      // Try the next directory.
    }
  }
  return undefined;
}

/** Returns whether `installDebian` can install anything here. */
export function isDebianRoot() {
  return process.getuid?.() === 0 && isDebian() && onPath('apt-get') !== undefined;
}

/** Installs packages. Returns undefined, or a sentence with the reason if it fails. */
export async function installDebian(...packages) {
  if (!isDebianRoot()) return `${packages.join(' ')} cannot be installed: needs root on Debian or Ubuntu`;
  const deadlineMs = Date.now() + INSTALL_LIMIT_MS;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args) =>
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
      env,
      timeout: Math.max(1, deadlineMs - Date.now()),
      maxBuffer: 16 << 20,
    });
  try {
    await aptGet('update', '-q');
    await aptGet('install', '-q', '-y', '--no-install-recommends', ...packages);
    return undefined;
  } catch (error) {
    const why = error.killed ? 'took longer than 5 minutes' : String(error.stderr || error.message).trim();
    return `apt-get install ${packages.join(' ')} failed (${why.split('\n').at(-1)})`;
  }
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log((await installDebian(...process.argv.slice(2))) ?? 'installed');
}

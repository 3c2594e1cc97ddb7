// Updates node_modules to match package-lock.json, if necessary. It must not import from node_modules,
// because it runs before that exists.

import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.mjs';
import { allPackages, servicePackages } from './locked.mjs';
import { step } from './progress.mjs';
import { fail, ROOT, readJson } from './root.mjs';

// A user's or a CI's settings may leave out the compiler (dev) or the store's binary (optional).
const FLAGS = ['--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
// Without a network, npm's own settings take over a minute to fail.
const RETRIES = ['--fetch-retries=3', '--fetch-retry-factor=3', '--fetch-retry-mintimeout=1000'];

/** Installs what running and building the service requires. Keeps everything else that is installed. */
export function installService() {
  return install(servicePackages, 'to run and build', ['--workspaces=false']);
}

/** Installs the tools for checks and tests as well. */
export function installAll() {
  return install(allPackages, 'to run, build, check and test', []);
}

async function install(choose, what, flags) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 20)) {
    const is = `Node.js ${process.versions.node} is too old; 20.20 or newer is required`;
    fail(`${is}: install Node.js 24 from https://nodejs.org and try again.`);
  }
  await alone(async () => {
    const wanted = [...choose(readJson('package-lock.json'))];
    if (isInstalled(wanted)) return;
    const here = wanted.filter(([, each]) => isForHere(each)).map(([path]) => join(ROOT, path));
    const problem = await step(
      `Installing the ${here.length} npm packages ${what}`,
      'npm',
      ['ci', ...FLAGS, ...flags, ...RETRIES, '--loglevel=error'],
      {
        about: () => `${here.filter((path) => existsSync(join(path, 'package.json'))).length}, `,
        done: () => `${(bytesIn(join(ROOT, 'node_modules')) / 2 ** 20).toFixed(0)} MiB, `,
      },
    );
    if (problem !== undefined) fail(`Could not install the npm packages (${problem}); see the output above.`);
  });
}

/**
 * Compares the packages themselves: npm writes its record last, and other npm commands may have changed the
 * packages since.
 */
function isInstalled(wanted) {
  return (
    existsSync(join(ROOT, 'node_modules', '.package-lock.json')) &&
    wanted.every(([path, locked]) => {
      const found = readJson(`${path}/package.json`)?.version;
      return found === locked.version || (found === undefined && !(isForHere(locked) && !locked.libc));
    })
  );
}

/** npm omits optional packages for other platforms. Only npm knows which libc this one has. */
function isForHere({ optional, os, cpu }) {
  return !optional || (os?.includes(process.platform) === true && cpu?.includes(process.arch) === true);
}

function bytesIn(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => lstatSync(join(directory, name)).size)
    .reduce((sum, size) => sum + size, 0);
}

// Where the tests of the web page get a browser from.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebian, isDebianRoot, onPath } from './debian.mjs';

const run = promisify(execFile);

const NAMES = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'];
const WHAT_TO_DO = 'install Chromium or Chrome, or set ETCD_DISCOVERY_TEST_CHROMIUM=/path/to/chromium';

/** A Chromium that runs: `{ chromium }`, its path, or `{ missing }`, a sentence. */
export async function findChromium() {
  const named = process.env.ETCD_DISCOVERY_TEST_CHROMIUM;
  const paths = named ? [named] : NAMES.map(onPath).filter((path) => path !== undefined);
  for (const path of paths) {
    try {
      // What Ubuntu has under its name says how to get it, and is none.
      const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
      if (/^(Chromium|Google Chrome) \d/m.test(stdout)) return { chromium: path };
    } catch {
      // Not this one.
    }
  }
  return { missing: `no Chromium that runs: ${WHAT_TO_DO}` };
}

/** Installs Debian's Chromium when there is none. Returns undefined when there is one, else why not. */
export async function installChromium() {
  const before = await findChromium();
  if (before.missing === undefined) return undefined;
  if (process.env.ETCD_DISCOVERY_TEST_CHROMIUM || !isDebianRoot()) return before.missing;
  const failed = await installDebian('chromium');
  return failed === undefined ? (await findChromium()).missing : `${failed}: ${WHAT_TO_DO}`;
}

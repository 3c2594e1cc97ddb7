// Finds or installs a browser for the tests of the web page.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebian, isDebianRoot, onPath } from './debian.mjs';

const run = promisify(execFile);

const NAMES = ['chromium', 'google-chrome', 'google-chrome-stable', 'chromium-browser'];
const WHAT_TO_DO = 'install Chromium or Chrome, or set ETCD_DISCOVERY_TEST_CHROMIUM=/path/to/chromium';

/** Returns `{ chromium }`, the path of a working Chromium, or `{ missing }`, a sentence. */
export async function findChromium() {
  const named = process.env.ETCD_DISCOVERY_TEST_CHROMIUM;
  const paths = named ? [named] : NAMES.map(onPath).filter((path) => path !== undefined);
  for (const path of paths) {
    try {
      // Ubuntu's command of that name is only a hint how to install it.
      const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
      if (/^(Chromium|Google Chrome) \d/m.test(stdout)) return { chromium: path };
    } catch {
      // Try the next name.
    }
  }
  return { missing: `no working Chromium: ${WHAT_TO_DO}` };
}

/** Installs Debian's Chromium if none is found. Returns undefined if one is available, else the reason. */
export async function installChromium() {
  const before = await findChromium();
  if (before.missing === undefined) return undefined;
  if (process.env.ETCD_DISCOVERY_TEST_CHROMIUM || !isDebianRoot()) return before.missing;
  const failed = await installDebian('chromium');
  return failed === undefined ? (await findChromium()).missing : `${failed}: ${WHAT_TO_DO}`;
}

// `npm run bench`: gets the clone ready and measures. Arguments go on: npm run bench -- --quick

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, fail, install, ROOT } from '../src/dev/prepare.mjs';

install();
build();

const main = join(ROOT, 'dist', 'bench', 'main.js');
const args = process.argv.slice(2);
const at = args.indexOf('--node');
if (at === -1) {
  // In this very process, so that signals reach it and its exit code is ours.
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
} else {
  const [, path = ''] = args.splice(at, 2);
  const node = resolve(path);
  if (path === '' || !existsSync(node)) fail(`--node ${path}: there is no such file.`);
  const { status, error } = spawnSync(node, [main, ...args], { stdio: 'inherit' });
  if (error !== undefined) fail(`${node} could not be run: ${error.message}`);
  process.exitCode = status ?? 1;
}

// `npm run bench`: gets the clone ready and measures. Arguments go on: npm run bench -- --quick

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, ROOT } from '../src/dev/prepare.mjs';

install();
build();

// In this very process, so that signals reach it and its exit code is ours.
const main = join(ROOT, 'dist', 'bench', 'main.js');
process.argv = [process.execPath, main, ...process.argv.slice(2)];
await import(pathToFileURL(main).href);

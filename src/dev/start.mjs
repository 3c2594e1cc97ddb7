// `npm start`: gets the clone ready and serves. Arguments go to the service: npm start -- --addr :9000

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildService } from './build.mjs';
import { installService } from './install.mjs';
import { ROOT } from './root.mjs';

await installService();
await buildService();

// In this very process, so that signals reach the service and its exit code is ours.
const main = join(ROOT, 'dist', 'src', 'main.js');
process.argv = [process.execPath, main, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);

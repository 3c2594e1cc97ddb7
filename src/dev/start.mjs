// `npm start`: prepares the clone and serves. Arguments are passed to the service: npm start -- --addr :9000

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildService } from './build.mjs';
import { installService } from './install.mjs';
import { ROOT } from './root.mjs';

await installService();
await buildService();

// In this process, so that it receives the signals and its exit code is the service's.
const main = join(ROOT, 'dist', 'src', 'main.js');
process.argv = [process.execPath, main, 'serve', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);

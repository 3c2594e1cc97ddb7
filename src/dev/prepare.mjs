// Prepares a clone: installs the npm packages and compiles, each only if something changed.
//   node src/dev/prepare.mjs         to serve
//   node src/dev/prepare.mjs --all   to test and to measure as well

import { buildAll, buildService } from './build.mjs';
import { installAll, installService } from './install.mjs';

if (process.argv.includes('--all')) {
  await installAll();
  await buildAll();
} else {
  await installService();
  await buildService();
}

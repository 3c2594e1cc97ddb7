// Writes the parts of docs/reference that are generated from tables in the code: node src/dev/reference-docs.mjs
// With --check it only checks that the files are up to date. Both need the output of `tsc --build`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, ROOT } from './root.mjs';

process.chdir(ROOT);
const compiled = join(ROOT, 'dist', 'test', 'reference', 'pages.js');
const { referencePages } = await import(pathToFileURL(compiled).href);
const stale = (await referencePages()).filter(({ found, wanted }) => found !== wanted);
if (!process.argv.includes('--check')) for (const { path, wanted } of stale) writeFileSync(path, wanted);
else if (stale.length > 0) {
  fail(`Not what the code gives: ${stale.map(({ path }) => path).join(', ')}. Run: npm run gen`);
}

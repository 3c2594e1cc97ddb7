// Bundles the web page's files for browsers into dist/, named after their content: node src/dev/bundle.mjs
// Fails if they cannot be bundled; esbuild then prints the cause.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(ROOT, 'src', 'page', 'browser');

const assets = join(ROOT, 'dist', 'src', 'page', 'assets');
mkdirSync(assets, { recursive: true });
const { outputFiles } = await build({
  entryPoints: { page: join(SOURCE, 'main.ts'), style: join(SOURCE, 'page.css') },
  entryNames: '[name]-[hash]',
  outdir: assets,
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  // Modules, top-level await and :has: browsers of 2022 and later.
  target: ['es2022', 'chrome100', 'firefox100', 'safari15.4'],
  legalComments: 'eof',
  tsconfig: join(SOURCE, 'tsconfig.json'),
});
const icon = readFileSync(join(SOURCE, 'icon.svg'));
const iconHash = createHash('sha256').update(icon).digest('hex').slice(0, 8).toUpperCase();
const files = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
files.set(join(assets, `icon-${iconHash}.svg`), icon);
for (const [path, contents] of files) writeFileSync(path, contents);
for (const name of readdirSync(assets)) {
  if (!files.has(join(assets, name))) rmSync(join(assets, name));
}

// Bundles the program in dist/, replacing the compiled src/main.ts: node src/dev/bundle-program.mjs
// Node.js takes several times as long to find and read two hundred modules as to run them. Modules that are loaded
// later remain separate files, and so do all packages except those that are ES modules.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { ROOT, readJson } from './root.mjs';

const SOURCE = join(ROOT, 'src');
const PROGRAM = join(ROOT, 'dist', 'src');
const PARTS = 'parts';
const BUNDLED = ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'];

/** A module that reads a file next to itself gets its original location when it is bundled. */
const placed = {
  name: 'placed',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const compiled = relative(SOURCE, path).replaceAll('\\', '/').replace(/ts$/, 'js');
      // Relative to a chunk; the entry point contains no such module.
      const url = `new URL('../${compiled}', import.meta.url)`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

// Served unchanged.
mkdirSync(join(ROOT, 'dist', 'gen'), { recursive: true });
copyFileSync(join(ROOT, 'gen', 'openapi.json'), join(ROOT, 'dist', 'gen', 'openapi.json'));

const parts = join(PROGRAM, PARTS);
mkdirSync(parts, { recursive: true });
const { metafile } = await build({
  entryPoints: [join(SOURCE, 'main.ts')],
  outdir: PROGRAM,
  chunkNames: `${PARTS}/[name]-[hash]`,
  absWorkingDir: ROOT,
  bundle: true,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.20',
  external: Object.keys(readJson('package.json').dependencies).filter((name) => !BUNDLED.includes(name)),
  plugins: [placed],
  legalComments: 'none',
});
const made = new Set(Object.keys(metafile.outputs).map((path) => join(ROOT, path)));
for (const name of readdirSync(parts)) {
  if (!made.has(join(parts, name))) rmSync(join(parts, name));
}

// Bundles the program in dist/ over what the compiler has made of src/main.ts: node src/dev/bundle-program.mjs
// Node.js takes several times as long to find and read two hundred modules as to run them. What is loaded later stays
// in files of its own, and so does every package but those that are modules themselves.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { ROOT, readJson } from './root.mjs';

const SOURCE = join(ROOT, 'src');
const PROGRAM = join(ROOT, 'dist', 'src');
const PARTS = 'parts';
const BUNDLED = ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'];

/** A module that looks for a file beside itself is told where it lies when it is not bundled. */
const placed = {
  name: 'placed',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const compiled = relative(SOURCE, path).replaceAll('\\', '/').replace(/ts$/, 'js');
      // From a part; the entry has none of them.
      const url = `new URL('../${compiled}', import.meta.url)`;
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

// What it serves as it is.
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

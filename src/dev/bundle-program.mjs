// Bundles the program in dist/, replacing the compiled src/main.ts: node src/dev/bundle-program.mjs
// Node.js takes several times as long to find and read two hundred modules as to run them. Modules that are loaded
// later remain separate files, and so do all packages except those that are ES modules.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT, readJson } from './root.mjs';

const SOURCE = join(ROOT, 'src');
const PROGRAM = join(ROOT, 'dist', 'src');
const PARTS = 'parts';
const BUNDLED = ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'];

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.20',
  external: Object.keys(readJson('package.json').dependencies).filter((name) => !BUNDLED.includes(name)),
  metafile: true,
};

/** The commands that scripts call most often. Modules that the other commands share with them are loaded with them. */
const SHORT_COMMANDS = ['version', 'health', 'new'];

/** The API as tables, whose values replace the module that gets them from the schema. */
const TABLES = join(SOURCE, 'cli', 'api', 'tables.ts');
const tables = Object.entries(await import(pathToFileURL(compiled(TABLES)).href))
  .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
  .join('\n');

function compiled(path) {
  return join(PROGRAM, relative(SOURCE, path)).replace(/ts$/, 'js');
}

/**
 * Takes what a module imports from Node.js as Node's own modules do: an import statement reads all exports first, and
 * some of them load more, like fetch or a worker's modules.
 */
function withBuiltins(text) {
  return text.replace(/^import \{([^}]+)\} from '(node:[a-z/_]+)';$/gm, (_, names, module) => {
    const values = names.split(',').filter((name) => name.trim() !== '' && !/^\s*type /.test(name));
    return `const {${values.map((name) => name.replace(' as ', ': ')).join(',')}} = process.getBuiltinModule('${module}');`;
  });
}

/** The modules of the short commands. Each file costs Node.js about half a millisecond to find, so they share one. */
async function shortModules() {
  const { metafile } = await build({
    ...common,
    entryPoints: SHORT_COMMANDS.map((name) => join(SOURCE, 'cli', 'commands', `${name}.ts`)),
    outdir: PROGRAM,
    write: false,
    plugins: [{ name: 'static', setup: onlyStatic }],
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
}

/** Leaves out what is loaded later. */
function onlyStatic({ onLoad, onResolve }) {
  onResolve({ filter: /\.ts$/ }, ({ kind, path }) =>
    kind === 'dynamic-import' ? { path, external: true } : undefined,
  );
  onLoad({ filter: /tables\.ts$/ }, ({ path }) => (path === TABLES ? { contents: tables } : undefined));
}

const SHORT = 'short-modules';
const short = await shortModules();

/**
 * Makes each file that is loaded later import the modules of the short commands, which keeps them together: esbuild cuts
 * files by who needs them. And a module that reads a file next to itself gets its original location.
 */
const arranged = {
  name: 'arranged',
  setup({ onLoad, onResolve }) {
    const later = new Set();
    onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
      if (kind === 'dynamic-import') later.add(join(resolveDir, path));
      return undefined;
    });
    onResolve({ filter: new RegExp(`^${SHORT}$`) }, () => ({ path: SHORT, namespace: SHORT }));
    onLoad({ filter: /./, namespace: SHORT }, () => ({
      contents: short.map((path) => `import ${JSON.stringify(join(ROOT, path))};`).join('\n'),
      resolveDir: ROOT,
    }));
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const original = relative(PROGRAM, compiled(path)).replaceAll('\\', '/');
      // Relative to a chunk; the entry point contains no such module.
      const url = `new URL('../${original}', import.meta.url)`;
      const source = path === TABLES ? tables : readFileSync(path, 'utf8');
      const text = withBuiltins(source).replaceAll('import.meta.url', url);
      return { contents: later.has(path) ? `import '${SHORT}';\n${text}` : text, loader: 'ts' };
    });
  },
};

// Served unchanged.
mkdirSync(join(ROOT, 'dist', 'gen'), { recursive: true });
copyFileSync(join(ROOT, 'gen', 'openapi.json'), join(ROOT, 'dist', 'gen', 'openapi.json'));

const parts = join(PROGRAM, PARTS);
mkdirSync(parts, { recursive: true });
const { metafile } = await build({
  ...common,
  entryPoints: [join(SOURCE, 'main.ts')],
  outdir: PROGRAM,
  chunkNames: `${PARTS}/[name]-[hash]`,
  splitting: true,
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [arranged],
  legalComments: 'none',
});
const made = new Set(Object.keys(metafile.outputs).map((path) => join(ROOT, path)));
for (const name of readdirSync(parts)) {
  if (!made.has(join(parts, name))) rmSync(join(parts, name));
}

// Bundles src/main.ts as dist/src/main.cjs: node src/dev/bundle-program.mjs
// Node.js takes several times as long to find and read four hundred modules as to run them, and longer to load one ES
// module than two CommonJS modules. So main.cjs has only what every command needs, and each short command is one CommonJS
// file in parts/, because V8 reads all of a file that it loads. The other files there are ES modules, which share files.
// Each CommonJS file and the ES modules have their own copies of what they share. Packages remain separate, except those
// that every start of the service loads.

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT, readJson } from './root.mjs';

const SOURCE = join(ROOT, 'src');
const PROGRAM = join(ROOT, 'dist', 'src');
const PARTS = join(PROGRAM, 'parts');
/** Not lmdb, which finds its native part by its own location. */
const BUNDLED = [
  '@bufbuild/protobuf',
  '@connectrpc/connect',
  '@connectrpc/connect-node',
  '@opentelemetry/api',
  'pino',
  'prom-client',
];

/** Lets CommonJS packages in the bundle require Node.js's own modules. */
const requiredBuiltins = {
  name: 'required-builtins',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'require-call' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}')`,
    }));
  },
};

/** The commands that make one call or none. */
const SHORT_COMMANDS = ['version', 'health', 'new', 'show', 'list', 'list-members', 'reopen', 'delete'];
const SHORT = SHORT_COMMANDS.map((name) => join(SOURCE, 'cli', 'commands', `${name}.ts`));

const common = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20.20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
};

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

/** Reads the sources. A module that reads a file next to itself gets its original location, by the URL of its new one. */
function sources(directory, url, edited = (text) => text) {
  return {
    name: 'sources',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const original = relative(directory, compiled(path)).replaceAll('\\', '/');
        const source = path === TABLES ? tables : readFileSync(path, 'utf8');
        const text = edited(withBuiltins(source)).replaceAll(
          'import.meta.url',
          `new URL('./${original}', ${url})`,
        );
        return { contents: text, loader: 'ts' };
      });
    },
  };
}

/** The modules that the short commands load later. */
const later = new Set();

/** Requires the short commands: an import would start the loader of ES modules. */
const requiring = (text) =>
  text.replace(/await import(\('\.\/commands\/([a-z-]+)\.ts'\))/g, (whole, path, name) =>
    SHORT_COMMANDS.includes(name) ? `require${path}` : whole,
  );

/** Builds CommonJS in a directory. */
function commonJs(directory) {
  const to = directory === PARTS ? './' : './parts/';
  const parts = {
    name: 'parts',
    setup({ onResolve }) {
      onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
        const name = basename(path, '.ts');
        if (kind === 'require-call') return { path: `${to}${name}.cjs`, external: true };
        if (kind !== 'dynamic-import') return undefined;
        later.add(join(resolveDir, path));
        return { path: `${to}${name}.js`, external: true };
      });
    },
  };
  const url = `process.getBuiltinModule('node:url').pathToFileURL(__filename)`;
  return { ...common, format: 'cjs', plugins: [parts, sources(directory, url, requiring)] };
}

// Served unchanged.
mkdirSync(join(ROOT, 'dist', 'gen'), { recursive: true });
copyFileSync(join(ROOT, 'gen', 'openapi.json'), join(ROOT, 'dist', 'gen', 'openapi.json'));

// The same program under the name of an ES module, which takes a little longer to start.
writeFileSync(
  join(PROGRAM, 'main.js'),
  `#!/usr/bin/env node
process.getBuiltinModule('node:module').createRequire(import.meta.url)('./main.cjs');
`,
);

await build({
  ...commonJs(PROGRAM),
  entryPoints: [join(SOURCE, 'main.ts')],
  outfile: join(PROGRAM, 'main.cjs'),
});
const short = await build({
  ...commonJs(PARTS),
  entryPoints: SHORT,
  outdir: PARTS,
  outExtension: { '.js': '.cjs' },
  metafile: true,
});
const long = await build({
  ...common,
  format: 'esm',
  entryPoints: [...later],
  outdir: PARTS,
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  splitting: true,
  external: Object.keys(readJson('package.json').dependencies).filter((name) => !BUNDLED.includes(name)),
  metafile: true,
  plugins: [sources(PARTS, 'import.meta.url'), requiredBuiltins],
});
const made = new Set(
  [short, long].flatMap(({ metafile }) => Object.keys(metafile.outputs).map((path) => join(ROOT, path))),
);
for (const name of readdirSync(PARTS)) {
  if (!made.has(join(PARTS, name))) rmSync(join(PARTS, name));
}

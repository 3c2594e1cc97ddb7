import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { ROOT, readJson } from '../root.mjs';
import { writeManifest } from './files.mjs';
import { withoutMap } from './service.mjs';

const DIST = join(ROOT, 'dist');
const ENTRIES = {
  '.': 'src/client/node',
  // Without Node.js: over a transport of the caller.
  './web': 'src/client/index',
  './schema': 'src/schema',
};
/** The packages whose types appear in the client's own. */
const PACKAGES = ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'];

/**
 * Lays out the typed client: its modules, the same for `require`, types for both, and the protos. Returns the
 * directory.
 */
export async function layOutClient(packages) {
  const directory = join(packages, 'etcd-discovery-client');
  const modules = modulesOf(Object.values(ENTRIES).map((entry) => join(DIST, `${entry}.js`)));
  for (const file of modules) {
    write(join(directory, 'esm', relative(DIST, file)), withoutMap(readFileSync(file, 'utf8')));
    const types = file.replace(/js$/, 'd.ts');
    for (const kind of ['esm', 'cjs']) {
      write(join(directory, kind, relative(DIST, types)), withNamesOfModules(readFileSync(types, 'utf8')));
    }
  }
  await build({
    entryPoints: modules,
    outbase: DIST,
    outdir: join(directory, 'cjs'),
    format: 'cjs',
    platform: 'node',
    target: 'node20.20',
  });
  // Next to them, because the package declares .js files to be modules.
  write(join(directory, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
  cpSync(join(ROOT, 'proto', 'discovery'), join(directory, 'proto', 'discovery'), { recursive: true });
  cpSync(join(ROOT, 'LICENSE'), join(directory, 'LICENSE'));
  cpSync(join(ROOT, 'src', 'client', 'README.md'), join(directory, 'README.md'));
  writeManifest(directory, manifest());
  return directory;
}

function manifest() {
  const { version, license, type, engines, repository, bugs, homepage, dependencies } =
    readJson('package.json');
  const versions = PACKAGES.map((name) => [name, `~${dependencies[name]}`]);
  const exported = Object.entries(ENTRIES).map(([name, path]) => [
    name,
    { import: at('esm', path), require: at('cjs', path) },
  ]);
  return {
    name: 'etcd-discovery-client',
    version,
    description:
      'Typed client of etcd-discovery, a service that lets the nodes of a new etcd cluster find each other',
    keywords: ['etcd', 'discovery', 'client', 'connect'],
    license,
    repository,
    bugs,
    homepage,
    type,
    engines,
    exports: {
      ...Object.fromEntries(exported),
      './proto/*': './proto/*',
      './package.json': './package.json',
    },
    sideEffects: false,
    dependencies: Object.fromEntries(versions),
  };
}

function at(kind, path) {
  return { types: `./${kind}/${path}.d.ts`, default: `./${kind}/${path}.js` };
}

/** Returns the modules and everything of ours that they import, in code or in types. */
function modulesOf(entries) {
  const found = new Set();
  const waiting = [...entries];
  for (const file of waiting) {
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(file, 'utf8') + readFileSync(file.replace(/js$/, 'd.ts'), 'utf8');
    for (const [, path] of text.matchAll(/\b(?:from |import\()["'](\.[^"']+)["']/g)) {
      waiting.push(join(dirname(file), path.replace(/\.ts$/, '.js')));
    }
  }
  return [...found];
}

/** Types import the sources of other modules, which are not in the package. */
function withNamesOfModules(types) {
  return types.replace(/(\b(?:from |import\()["']\.[^"']+)\.ts(["'])/g, '$1.js$2');
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

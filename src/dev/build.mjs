// Updates dist/ to match the sources. If they do not compile, the last build is kept.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.mjs';
import { step } from './progress.mjs';
import { fail, ROOT } from './root.mjs';

const DIST = join(ROOT, 'dist');
const SETTINGS = ['package-lock.json', 'tsconfig.json'];

/** Compiles the service, and bundles its page for browsers. Requires what `installService` installs. */
export function buildService() {
  return build(['.built'], ['src', 'gen'], ['src']);
}

/** Compiles tests and benchmarks as well, so `npm start` need not compile. Requires what `installAll` installs. */
export function buildAll() {
  return build(['.built-all', '.built'], ['src', 'gen', 'test', 'bench'], []);
}

/** The first record says when these sources were built. */
function build(records, sources, projects) {
  return alone(async () => {
    const [built] = records.map((name) => join(DIST, name));
    const began = Date.now();
    if (existsSync(built) && lastChange(sources) < Number(readFileSync(built, 'utf8'))) return;
    const compiler = ['node_modules/typescript/bin/tsc', '--build', '--stopBuildOnErrors', ...projects];
    await run('Compiling', compiler, 'Compilation failed');
    removeOrphans();
    await run('Bundling the program', ['src/dev/bundle-program.mjs'], 'Could not bundle the program');
    await run('Bundling for browsers', ['src/dev/bundle.mjs'], 'Could not bundle the web page');
    for (const name of records) writeFileSync(join(DIST, name), String(began));
  });
}

async function run(title, command, otherwise) {
  const problem = await step(title, process.execPath, command);
  if (problem !== undefined) fail(`${otherwise}; see the output above.`);
}

/**
 * Returns when the sources last changed; for a directory, when an entry was added or removed. Not the
 * modification time, which moved and copied files keep: the compiler then detects what is new.
 */
function lastChange(sources) {
  const below = (top) => readdirSync(join(ROOT, top), { recursive: true }).map((name) => join(top, name));
  const paths = [...SETTINGS, ...sources, ...sources.flatMap(below)];
  return Math.max(...paths.map((path) => statSync(join(ROOT, path)).ctimeMs));
}

/** The compiler keeps the output of deleted sources: a test, for example, that would still run. */
function removeOrphans() {
  for (const name of ['src', 'gen', 'test', 'bench'].flatMap(compiledBelow)) {
    const [stem, rest] = name.split(/\.d\.ts$/);
    if (rest === undefined || existsSync(join(ROOT, `${stem}.ts`))) continue;
    for (const suffix of ['.d.ts', '.js', '.js.map']) rmSync(join(DIST, stem + suffix), { force: true });
  }
}

function compiledBelow(top) {
  const directory = join(DIST, top);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true }).map((name) => join(top, name));
}

// Brings dist/ in line with the sources. What does not compile leaves the last build alone.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.mjs';
import { step } from './progress.mjs';
import { fail, ROOT } from './root.mjs';

const DIST = join(ROOT, 'dist');
const SETTINGS = ['package-lock.json', 'tsconfig.json'];

/** Compiles the service, and bundles its page for browsers. Needs what `installService` installs. */
export function buildService() {
  return build('.built', ['src', 'gen'], ['src']);
}

/** Compiles tests and benchmarks as well. Needs what `installAll` installs. */
export function buildAll() {
  return build('.built-all', ['src', 'gen', 'test', 'bench'], []);
}

function build(record, sources, projects) {
  return alone(async () => {
    const built = join(DIST, record);
    const began = Date.now();
    if (existsSync(built) && lastChange(sources) < Number(readFileSync(built, 'utf8'))) return;
    const compiler = ['node_modules/typescript/bin/tsc', '--build', '--stopBuildOnErrors', ...projects];
    await run('Compiling', compiler, 'The sources do not compile');
    removeOrphans();
    await run('Bundling the program', ['src/dev/bundle-program.mjs'], 'The program cannot be bundled');
    await run('Bundling for browsers', ['src/dev/bundle.mjs'], 'The web page cannot be bundled');
    writeFileSync(built, String(began));
  });
}

async function run(title, command, otherwise) {
  const problem = await step(title, process.execPath, command);
  if (problem !== undefined) fail(`${otherwise}: see the lines above.`);
}

/**
 * When what is compiled or bundled was changed last, a directory by what came or went. Not by the time of the content,
 * which a file keeps that is moved or copied here: the compiler then finds out what is new.
 */
function lastChange(sources) {
  const below = (top) => readdirSync(join(ROOT, top), { recursive: true }).map((name) => join(top, name));
  const paths = [...SETTINGS, ...sources, ...sources.flatMap(below)];
  return Math.max(...paths.map((path) => statSync(join(ROOT, path)).ctimeMs));
}

/** The compiler leaves what it once made of a source that is gone: a test, say, that would still run. */
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

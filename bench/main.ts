// The benchmark: the service against minimal servers that do the same, in one run. See bench/README.md.

import { readFile, writeFile } from 'node:fs/promises';
import { readArguments } from './arguments.ts';
import { measure } from './measure.ts';
import { comparison } from './report/compare.ts';
import { reportOf } from './report/report.ts';
import type { Results } from './report/results.ts';
import { aboutMachine, type DataDir, makeDataDir } from './support/machine.ts';
import { stopAll } from './support/program.ts';

// Not compiled, so not in dist/. Cached with the tests' builds.
const BUILDS = new URL('../../test/tools/go-build.mjs', import.meta.url);
const { cacheDirectory } = (await import(BUILDS.href)) as typeof import('../test/tools/go-build.mjs');

let dataDir: DataDir | undefined;
let interrupted = false;

async function main(): Promise<void> {
  const { plan, jsonFile, compareFile } = readArguments(cacheDirectory());
  const before =
    compareFile === undefined ? undefined : (JSON.parse(await readFile(compareFile, 'utf8')) as Results);
  dataDir = await makeDataDir();
  const endOf = await aboutMachine(dataDir);
  const results = await measure(plan, dataDir.path, progress, async (part, error) => {
    // An interrupted run has ended the processes itself, so their failure is expected.
    if (interrupted) throw error;
    progress(undefined);
    console.error(`${part} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    await stopAll();
  });
  progress(undefined);
  const about = await endOf();
  console.log(reportOf(about, plan, results));
  if (before !== undefined) console.log(`\n## Beside ${compareFile}\n\n${comparison(before, results)}`);
  if (jsonFile !== undefined) {
    await writeFile(jsonFile, `${JSON.stringify({ about, plan, ...results }, null, 2)}\n`);
  }
}

/** Shows one updated line on a terminal, and nothing elsewhere. */
function progress(text: string | undefined): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text ?? ''}`);
}

async function cleanUp(): Promise<void> {
  await stopAll();
  await dataDir?.remove();
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    interrupted = true;
    void cleanUp().finally(() => process.exit(exitCode));
  });
}

try {
  await main();
} catch (error) {
  progress(undefined);
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

// The benchmark: the service against the least that can do the same, in one run. See bench/README.md.

import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { readArguments } from './arguments.ts';
import type { BootstrapPlan, BootstrapResult } from './bootstrap.ts';
import { measureCalls, type Row } from './calls.ts';
import { stopAll } from './child.ts';
import { comparison } from './compare.ts';
import { type InProcessResult, measureInProcess } from './in-process.ts';
import { busyCpus, type DataDir, flushMs, makeDataDir, openFilesLimit } from './machine.ts';
import { stopPrograms } from './program.ts';
import { bootstrapTable, callsTable, inProcessTable, storesTable, waitersTable } from './report.ts';
import { measureStores, type StoresRow } from './stores.ts';
import { measureWaiters, type WaitersRow } from './waiters.ts';

/** All that --json writes, but for what it says of the machine and the plan. */
export interface Results {
  readonly calls?: readonly Row[] | undefined;
  readonly waiters?: readonly WaitersRow[] | undefined;
  readonly stores?: readonly StoresRow[] | undefined;
  readonly bootstrap?: BootstrapResult | undefined;
  readonly inProcess?: InProcessResult | undefined;
}

/** Beside the sockets of the waiters: those of the calls and of the rehearsal, and the store's files. */
const OTHER_FILES = 400;

let dataDir: DataDir | undefined;
let interrupted = false;

async function main(): Promise<void> {
  const { plan, jsonFile, compareFile } = readArguments();
  const before =
    compareFile === undefined ? undefined : (JSON.parse(await readFile(compareFile, 'utf8')) as Results);
  requireOpenFiles(Math.max(...(plan.waiters?.counts ?? []), ...(plan.calls?.inFlight ?? [])));
  dataDir = await makeDataDir();
  const { path } = dataDir;
  const busyBefore = await busyCpus();
  const diskFlushMs = await flushMs(path);
  const results: Results = {
    inProcess: plan.inProcess && (await measureInProcess(plan.inProcess)),
    stores: plan.stores && (await measureStores(plan.stores, path, progress)),
    calls: plan.calls && (await measureCalls(plan.calls, path, progress)),
    waiters: plan.waiters && (await measureWaiters(plan.waiters, path, progress)),
    bootstrap: plan.bootstrap && (await bootstrapOf(plan.bootstrap, path)),
  };
  progress(undefined);
  const about = {
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    busyCpusBefore: busyBefore,
    busyCpusAfter: await busyCpus(),
    dataOnDisk: dataDir.onDisk,
    diskFlushMs,
    requestLog: 'off (--log-level warn)',
  };

  const busy = `${about.busyCpusBefore.toFixed(1)} before and ${about.busyCpusAfter.toFixed(1)} after`;
  const flush = about.dataOnDisk
    ? `A flush of this disk takes ${diskFlushMs.toFixed(2)} ms.`
    : `${path} is in memory: writes look faster than on a disk.`;
  const store = plan.calls?.store === 'etcd' ? 'a local etcd' : 'embedded';
  const { calls = [], waiters = [], stores, bootstrap, inProcess } = results;
  const parts = [
    `Node.js ${about.node} on ${about.system}, ${about.cpus} x ${about.cpu}.
CPUs that other programs kept busy: ${busy}. ${flush}
Store: ${store}. Request log ${about.requestLog}. Medians: calls of ${plan.calls?.rounds} rounds of ${plan.calls?.slotMs} ms, waiters of ${plan.waiters?.rounds}.`,
    calls.length > 0 && callsTable(calls),
    stores !== undefined && storesTable(stores),
    waiters.length > 0 && waitersTable(waiters),
    bootstrap !== undefined && bootstrapTable(bootstrap),
    inProcess !== undefined && inProcessTable(inProcess),
    before !== undefined && comparison(before, results),
  ];
  console.log(parts.filter((part) => part !== false).join('\n\n'));
  if (jsonFile !== undefined) {
    await writeFile(jsonFile, `${JSON.stringify({ about, plan, ...results }, null, 2)}\n`);
  }
}

/** Loaded late: the harness of the tests ends the process at a signal by itself. */
async function bootstrapOf(plan: BootstrapPlan, path: string): Promise<BootstrapResult | undefined> {
  const { measureBootstrap } = await import('./bootstrap.ts');
  return measureBootstrap(plan, path, progress);
}

function requireOpenFiles(waiters: number): void {
  const needed = waiters + OTHER_FILES;
  const limit = openFilesLimit();
  if (limit >= needed) return;
  console.error(
    `${waiters} waiters need ${needed} open files in a process, and the hard limit here is ${limit}. ` +
      `Raise it (as root: ulimit -n ${needed}; in a container: --ulimit nofile=${needed}), ` +
      `or have fewer: npm run bench -- --waiters ${Math.max(limit - OTHER_FILES, 1)}`,
  );
  process.exit(1);
}

/** One line that changes on a terminal; nothing elsewhere. */
function progress(text: string | undefined): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text ?? ''}`);
}

async function cleanUp(): Promise<void> {
  await Promise.all([stopAll(), stopPrograms()]);
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
  // Of processes that end because they were told to there is nothing to say.
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

// The benchmark: the service against bare Node HTTP and bare connect-node, in one run. See bench/README.md.

import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { type CallsPlan, measureCalls } from './calls.ts';
import { stopAll } from './child.ts';
import { type InProcessPlan, measureInProcess } from './in-process.ts';
import { busyCpus, type DataDir, flushMs, makeDataDir, openFilesLimit } from './machine.ts';
import { callsTable, inProcessTable, waitersTable } from './report.ts';
import { measureWaiters, type WaitersPlan } from './waiters.ts';

const USAGE = `usage: npm run bench -- [--quick] [--json FILE] [--waiters NUMBER]
  --quick            half a minute in all: shows that it works, and roughly how fast the service is
  --json FILE        writes every number to FILE as well
  --waiters NUMBER   long polls held open at once (default 5000; with --quick 500)`;

interface Plan {
  readonly calls: CallsPlan;
  readonly waiters: WaitersPlan;
  readonly inProcess: InProcessPlan;
}

const IN_FLIGHT = [1, 32, 256];

const DEFAULT: Plan = {
  calls: { rounds: 5, inFlight: IN_FLIGHT, slotMs: 500, warmUpMs: 250 },
  waiters: { rounds: 3, waiters: 5000 },
  inProcess: { rounds: 5, calls: 300_000 },
};

const QUICK: Plan = {
  calls: { rounds: 2, inFlight: IN_FLIGHT, slotMs: 60, warmUpMs: 50 },
  waiters: { rounds: 1, waiters: 500 },
  inProcess: { rounds: 2, calls: 50_000 },
};

/** Beside the sockets of the waiters: those of the calls and of the rehearsal, and the store's files. */
const OTHER_FILES = 400;

let dataDir: DataDir | undefined;
let interrupted = false;

async function main(): Promise<void> {
  const { plan, jsonFile } = readArguments();
  requireOpenFiles(plan.waiters.waiters);
  dataDir = await makeDataDir();
  const busyBefore = await busyCpus();
  const diskFlushMs = await flushMs(dataDir.path);
  const inProcess = await measureInProcess(plan.inProcess);
  const calls = await measureCalls(plan.calls, dataDir.path, progress);
  const waiters = await measureWaiters(plan.waiters, dataDir.path, progress);
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
    : `${dataDir.path} is in memory: writes look faster than on a disk.`;
  const { rounds, slotMs } = plan.calls;
  console.log(`Node.js ${about.node} on ${about.system}, ${about.cpus} x ${about.cpu}.
CPUs that other programs kept busy: ${busy}. ${flush}
Request log ${about.requestLog}. Medians of ${rounds} rounds of ${slotMs} ms; waiters: ${plan.waiters.waiters}, ${plan.waiters.rounds} rounds.

${callsTable(calls)}

${waitersTable(waiters)}

${inProcessTable(inProcess)}`);
  if (jsonFile !== undefined) {
    await writeFile(jsonFile, `${JSON.stringify({ about, plan, calls, waiters, inProcess }, null, 2)}\n`);
  }
}

function readArguments(): { plan: Plan; jsonFile: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        waiters: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    const plan = values.quick ? QUICK : DEFAULT;
    const waiters = values.waiters === undefined ? plan.waiters.waiters : Number(values.waiters);
    if (!Number.isInteger(waiters) || waiters < 1 || waiters > 15_000) {
      throw new Error(`--waiters ${values.waiters}: takes a whole number from 1 to 15000`);
    }
    return { plan: { ...plan, waiters: { ...plan.waiters, waiters } }, jsonFile: values.json };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
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
  // Of processes that end because they were told to there is nothing to say.
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanUp();
}

// Describes the machine of a run, and how busy other programs keep it.

import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spread } from './stats.ts';

/** The file system types of tmpfs and ramfs on Linux. */
const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6]);

export interface DataDir {
  readonly path: string;
  /** Whether writes go to a disk. On a file system in memory, a flush costs nothing. */
  readonly onDisk: boolean;
  remove(): Promise<void>;
}

/** Creates a directory in the system's place for temporary files, or in /var/tmp if that is in memory. */
export async function makeDataDir(): Promise<DataDir> {
  const parent = (await inMemory(tmpdir())) && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
  const path = await mkdtemp(join(parent, 'etcd-discovery-bench-'));
  return {
    path,
    onDisk: !(await inMemory(path)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** The machine and the conditions of a run. */
export interface About {
  readonly node: string;
  readonly system: string;
  readonly cpus: number;
  readonly cpu: string;
  readonly busyCpusBefore: number;
  readonly busyCpusAfter: number;
  readonly dataOnDisk: boolean;
  readonly diskFlushMs: number;
  readonly requestLog: string;
}

/** Examines the machine before a run, and with the returned function after it. */
export async function aboutMachine({ path, onDisk }: DataDir): Promise<() => Promise<About>> {
  const busyCpusBefore = await busyCpus();
  const diskFlushMs = await flushMs(path);
  return async () => ({
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    busyCpusBefore,
    busyCpusAfter: await busyCpus(),
    dataOnDisk: onDisk,
    diskFlushMs,
    requestLog: 'off (--log-level warn)',
  });
}

/** Returns the median time in ms to write a page and flush it to disk: the least that a durable write can take. */
async function flushMs(directory: string): Promise<number> {
  const file = await open(join(directory, 'flush'), 'w');
  const page = Buffer.alloc(4096);
  const times: number[] = [];
  for (let count = 0; count < 50; count += 1) {
    const start = performance.now();
    await file.write(page, 0, page.length, 0);
    await file.datasync();
    times.push(performance.now() - start);
  }
  await file.close();
  return spread(times).median;
}

/** Returns how many CPUs other programs keep busy, measured over an idle second. */
async function busyCpus(): Promise<number> {
  const before = busyMs();
  const start = performance.now();
  await sleep(1000);
  return (busyMs() - before) / (performance.now() - start);
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

async function inMemory(path: string): Promise<boolean> {
  return MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);
}

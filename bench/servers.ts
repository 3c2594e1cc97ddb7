import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import { spread } from './stats.ts';

export interface Server {
  readonly child: Child;
  readonly port: number;
}

const START_LIMIT_MS = 20_000;

/** The service itself, as its command starts it, with its data in `dataDir` and the request log off. */
export async function startService(dataDir: string): Promise<Server> {
  const port = await freePort();
  const settings = ['--addr', `127.0.0.1:${port}`, '--data-dir', dataDir, '--log-level', 'warn'];
  const child = new Child('the service', '../src/main.js', ['serve', ...settings]);
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isHealthy(port))) {
    if (child.hasEnded()) throw new Error(`the service did not start:\n${child.output()}`);
    if (Date.now() > deadline)
      throw new Error(`the service did not answer /health within ${START_LIMIT_MS} ms`);
    await sleep(20);
  }
  return { child, port };
}

export async function startBareNode(): Promise<Server> {
  const child = new Child('bare Node HTTP', './servers/bare-node.js');
  return { child, port: (await child.ask('listen')) as number };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** tmpfs and ramfs on Linux. */
const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6]);

export interface DataDir {
  readonly path: string;
  /** Whether writes go to a disk: on a file system in memory, a flush costs nothing. */
  readonly onDisk: boolean;
  remove(): Promise<void>;
}

/** A new directory in the system's place for temporary files, or in /var/tmp when the former is in memory. */
export async function makeDataDir(): Promise<DataDir> {
  const parent = (await inMemory(tmpdir())) && existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
  const path = await mkdtemp(join(parent, 'etcd-discovery-bench-'));
  return {
    path,
    onDisk: !(await inMemory(path)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** The median time in ms to write a page and have it on disk: the least that a durable write can take. */
export async function flushMs(directory: string): Promise<number> {
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

async function inMemory(path: string): Promise<boolean> {
  return MEMORY_FILE_SYSTEMS.has((await statfs(path)).type);
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../test/etcd/harness/ports.ts';
import { Child } from '../support/child.ts';
import type { Usage } from '../support/probe.ts';
import { Program } from '../support/program.ts';

// Not compiled, so not in dist/. Provides the etcd that the tests use.
const TOOL = new URL('../../../test/tools/etcd-binaries.mjs', import.meta.url);
const { findInstalledEtcd, provideEtcd } = (await import(
  TOOL.href
)) as typeof import('../../test/tools/etcd-binaries.mjs');

/** A server under test. */
export interface Server {
  readonly port: number;
  /** The process of the service itself, without its store. */
  readonly pid: number;
  readonly usage: () => Promise<Usage>;
  /** Returns the usage once garbage collections no longer change the memory, if the server can collect on request. */
  settledUsage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** The service's store: embedded, or an etcd started for it. */
export type StoreKind = 'embedded' | 'etcd';

/** The discovery service in Go, with the etcd that stores its tokens. */
export interface GoServer extends Server {
  readonly etcdPort: number;
}

const START_LIMIT_MS = 60_000;
/** Short compared with a start, because starts are timed. */
const START_POLL_MS = 3;
/** The service's compiled command. */
const MAIN = fileURLToPath(new URL('../../src/main.cjs', import.meta.url));
/** Loads the same modules. */
const BARE_START = fileURLToPath(new URL('bare-start.js', import.meta.url));
/** The path in Debian's package etcd-discovery. */
const GO_SERVICE = '/usr/bin/discovery.etcd.io';
/** Newest first. */
const SERIES = ['3.7', '3.6', '3.5'];

/** Without the request log. */
function serviceArguments(port: number, store: readonly string[]): string[] {
  return ['serve', `--addr=127.0.0.1:${port}`, '--log-level=warn', ...store];
}

/** Starts the service with the probe, and its data under `directory`. */
export async function launchService(
  directory: string,
  { store = 'embedded' }: { readonly store?: StoreKind } = {},
): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const etcd = store === 'etcd' ? await startEtcd(directory) : undefined;
  const where = etcd === undefined ? ['--data-dir', directory] : ['--etcd', `http://127.0.0.1:${etcd.port}`];
  const child = new Child('the service', '../src/main.cjs', serviceArguments(port, where));
  await healthy(port, child);
  return serverOf(child, port, etcd);
}

/** Starts the service like a user, without the probe. `before` precedes the command, to pin it. */
export async function startProgram(directory: string, before: readonly string[] = []): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const args = serviceArguments(port, ['--data-dir', directory]);
  const program = new Program('the service', [...before, process.execPath, MAIN, ...args]);
  await healthy(port, program);
  return serverOf(program, port);
}

/** Starts bare Node.js that has loaded the modules of the service. */
export async function startBareModules(): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const program = new Program('bare Node.js with the same modules', [
    process.execPath,
    BARE_START,
    String(port),
  ]);
  await healthy(port, program);
  return serverOf(program, port);
}

async function healthy(port: number, process: Program): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isHealthy(port))) {
    if (process.hasEnded()) throw new Error(`${process.name} did not start:\n${process.output()}`);
    if (Date.now() > deadline) {
      throw new Error(`${process.name} did not answer /health within ${START_LIMIT_MS} ms`);
    }
    await sleep(START_POLL_MS);
  }
}

export async function startBareNode(): Promise<Server & { readonly child: Child }> {
  const child = new Child('bare Node HTTP', 'servers/bare-node.js');
  return { ...serverOf(child, (await child.ask('listen')) as number), child };
}

export async function startBareHttp2(): Promise<Server & { readonly child: Child }> {
  const child = new Child('bare node:http2', 'servers/bare-http2.js');
  return { ...serverOf(child, (await child.ask('listen')) as number), child };
}

/** Starts the Go service with an etcd that has v2 keys. Returns undefined if either is not installed. */
export async function startGoService(directory: string): Promise<GoServer | undefined> {
  const installed = await findInstalledEtcd();
  if (!existsSync(GO_SERVICE) || installed.series !== '3.4') return undefined;
  const etcd = await runEtcd([installed.etcd], directory, ['--enable-v2']);
  const [port = 0] = await freePorts(1);
  const program = new Program('the Go service', [
    GO_SERVICE,
    '--addr',
    `127.0.0.1:${port}`,
    '--host',
    `http://127.0.0.1:${port}`,
    '--etcd',
    `http://127.0.0.1:${etcd.port}`,
  ]);
  await program.listens(port);
  const both = serverOf(program, port, etcd);
  return { ...both, etcdPort: etcd.port };
}

export async function etcdIsThere(series: string): Promise<boolean> {
  return (await provideEtcd(series, { build: false })).missing === undefined;
}

/** Starts an etcd with v3 discovery if the tests have built one. Returns undefined otherwise. */
export async function startEtcdIfBuilt(directory: string): Promise<Server | undefined> {
  const found = await provideEtcd('3.7', { build: false });
  return found.missing === undefined ? runEtcd([found.etcd], directory) : undefined;
}

/** Starts the newest available etcd: built by the tests, or on PATH. `before` precedes its command, to pin it. */
export async function startEtcd(directory: string, before: readonly string[] = []): Promise<Server> {
  for (const series of SERIES) {
    const found = await provideEtcd(series, { build: false });
    if (found.missing === undefined) return runEtcd([...before, found.etcd], directory);
  }
  const installed = await findInstalledEtcd();
  if (installed.missing !== undefined) throw new Error(installed.missing);
  return runEtcd([...before, installed.etcd], directory);
}

async function runEtcd(
  command: readonly string[],
  directory: string,
  more: readonly string[] = [],
): Promise<Server> {
  const [client = 0, peer = 0] = await freePorts(2);
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const program = new Program('etcd', [
    ...command,
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--log-level=error',
    ...more,
  ]);
  await program.listens(client);
  return serverOf(program, client);
}

type Process = Pick<Server, 'pid' | 'usage' | 'stop'> & Partial<Pick<Server, 'settledUsage'>>;

/** Combines a server with what it needs: adds up their usage, and stops the needed one last. */
export function serverOf(process: Process, port: number, needed?: Server): Server {
  const sum = async (own: Promise<Usage>): Promise<Usage> => {
    const [one, other] = await Promise.all([own, needed?.usage()]);
    return {
      cpuMicros: one.cpuMicros + (other?.cpuMicros ?? 0),
      rssBytes: one.rssBytes + (other?.rssBytes ?? 0),
    };
  };
  return {
    port,
    pid: process.pid,
    usage: () => sum(process.usage()),
    settledUsage: () => sum(process.settledUsage?.() ?? process.usage()),
    async stop() {
      await process.stop();
      await needed?.stop();
    },
  };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  } catch {
    return false;
  }
}

// Measures how long nodes of etcd 3.7 spend in discovery with the service, and with a plain etcd 3.7 that holds the
// same keys. Uses real programs, and times from the nodes' own logs.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EtcdNode, startNodes, type TokenDiscovery } from '../../test/etcd/harness/node.ts';
import type { Run } from '../../test/etcd/harness/run.ts';
import { Scene } from '../../test/etcd/harness/scene.ts';
import { etcdctlOf, etcdOf } from '../../test/etcd/harness/versions.ts';
import { etcdIsThere, startEtcd, startProgram } from '../servers/servers.ts';
import { pin, pinning, twoCores } from '../support/cores.ts';
import { type Spread, spread } from '../support/stats.ts';
import { inTurn } from './slot.ts';

const exec = promisify(execFile);
const SERIES = '3.7';
/** Real nodes flush; those of the tests do not. */
const FLAGS = ['--unsafe-no-fsync=false'];
const BEGIN = /Bootstrapping cluster using v3 discovery/;
const END = /discovery joined cluster successfully/;

export interface BootstrapPlan {
  readonly rounds: number;
  /** Clusters that form before a service counts as warm. */
  readonly warmUps: number;
}

/** Times in ms: three nodes at once, from the first start of discovery to the last end. */
export interface Bootstrap {
  readonly together: Spread;
  /** The whole discovery of a third node, for which two others wait. */
  readonly third: Spread;
}

export interface BootstrapResult {
  /** The service, or the plain etcd, had one core and the nodes another, like on separate machines. */
  readonly isPinned: boolean;
  readonly plainEtcd: Bootstrap;
  readonly warmService: Bootstrap;
  /** The first cluster of a newly started service. */
  readonly coldService: Pick<Bootstrap, 'together'>;
}

/** Returns undefined if etcd 3.7 is not built. */
export async function measureBootstrap(
  { rounds, warmUps }: BootstrapPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<BootstrapResult | undefined> {
  if (!(await etcdIsThere(SERIES))) return undefined;
  const cores = await twoCores();
  const asked = cores === undefined ? [] : pinning(cores.asked);
  const plain = await startEtcd(join(dataDir, 'plain'), asked);
  const start = (name: string) => startProgram(join(dataDir, name), asked);
  const service = await start('warm');
  // Everything started from here on inherits the pinning: the nodes.
  if (cores !== undefined) await pin(cores.nodes);
  const plainUrl = `http://127.0.0.1:${plain.port}`;
  const url = `http://127.0.0.1:${service.port}`;
  const times = { plain: [] as Times[], warm: [] as Times[], cold: [] as number[] };
  try {
    for (let round = 1 - warmUps; round <= rounds; round += 1) {
      progress(`bootstrap of 3 nodes, round ${round}/${rounds}`);
      const pair = [
        { url: plainUrl, list: times.plain },
        { url, list: times.warm },
      ];
      for (const { url: endpoint, list } of inTurn(pair, round)) {
        const taken = await measureOne(endpoint);
        if (round > 0) list.push(taken);
      }
      if (round <= 0) continue;
      const cold = await start(`cold-${round}`);
      times.cold.push(await threeAtOnce(`http://127.0.0.1:${cold.port}`));
      await cold.stop();
    }
  } finally {
    if (cores !== undefined) await pin(cores.all);
  }
  await Promise.all([plain.stop(), service.stop()]);
  const all = (list: readonly Times[]): Bootstrap => ({
    together: spread(list.map(({ together }) => together)),
    third: spread(list.map(({ third }) => third)),
  });
  return {
    isPinned: cores !== undefined,
    plainEtcd: all(times.plain),
    warmService: all(times.warm),
    coldService: { together: spread(times.cold) },
  };
}

interface Times {
  readonly together: number;
  readonly third: number;
}

async function measureOne(url: string): Promise<Times> {
  return { together: await threeAtOnce(url), third: await thirdOfThree(url) };
}

async function threeAtOnce(url: string): Promise<number> {
  return inScene(async (scene) => {
    const etcd = await etcdOf(SERIES);
    const nodes = await startNodes(scene, { etcd, discovery: await makeToken(url), flags: FLAGS }, 3);
    await Promise.all(nodes.map(({ run }) => scene.waitForLog(run, END)));
    const ends = nodes.map(({ run }) => timeOf(run, END));
    return Math.max(...ends) - Math.min(...nodes.map(({ run }) => timeOf(run, BEGIN)));
  });
}

async function thirdOfThree(url: string): Promise<number> {
  return inScene(async (scene) => {
    const etcd = await etcdOf(SERIES);
    const discovery = await makeToken(url);
    const nodes = await startNodes(scene, { etcd, discovery, flags: FLAGS }, 2);
    await Promise.all(nodes.map((node) => node.waitUntilWaiting()));
    const third = await EtcdNode.start(scene, { etcd, discovery, name: 'infra3', flags: FLAGS });
    await scene.waitForLog(third.run, END);
    return timeOf(third.run, END) - timeOf(third.run, BEGIN);
  });
}

/** Returns the time in ms of the first log line that matches. */
function timeOf(run: Run, pattern: RegExp): number {
  const line = run.log.split('\n').find((each) => pattern.test(each)) ?? '';
  // 2026-01-02T03:04:05.678901Z: Date has only millisecond precision.
  const [, seconds = '', fraction = ''] = /"ts":"([^".]+)\.(\d+)Z"/.exec(line) ?? [];
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction}`) * 1000;
}

async function makeToken(url: string): Promise<TokenDiscovery> {
  const token = randomUUID();
  const { etcdctl } = await etcdctlOf(SERIES);
  await exec(etcdctl, ['--endpoints', url, 'put', `/_etcd/registry/${token}/_config/size`, '3']);
  return { token, endpoints: [url] };
}

/** Runs the body in its own scene. */
async function inScene<T>(body: (scene: Scene) => Promise<T>): Promise<T> {
  const cleanUps: Array<() => Promise<void>> = [];
  const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
  try {
    return await body(scene);
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

// What the v3 dialect costs, with real programs: run by hand, asserts nothing.
//   node dist/test/etcd/measure-v3.js [ROUNDS]
// Prints how long nodes of etcd 3.7 spend in discovery against the service and against a plain etcd 3.7 that
// holds the same keys, round about, and the memory of idle watches.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { EtcdNode, startNodes, type TokenDiscovery } from './harness/node.ts';
import { freePorts } from './harness/ports.ts';
import type { Run } from './harness/run.ts';
import { Scene } from './harness/scene.ts';
import { Service } from './harness/service.ts';
import { etcdctlOf, etcdOf, goClientOf } from './harness/versions.ts';

const exec = promisify(execFile);
const SERIES = '3.7';
const CLIENTS = 200;
const WATCHES_EACH = 10;
const WARM_UP = 400;

const BEGIN = /Bootstrapping cluster using v3 discovery/;
const END = /discovery joined cluster successfully/;

const rounds = Number(process.argv[2] ?? 10);
const cleanUps: Array<() => Promise<void>> = [];
try {
  await measureBootstraps();
  await measureWatches();
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}

/** Times in ms of one cluster. */
interface Times {
  /** From the first node's beginning of discovery to the last one's end of it, all three started at once. */
  readonly together: number;
  /** All of discovery of a third node, for which two others wait. */
  readonly third: number;
  /** From its registration, as it logs that, to the end of the others' wait, which may be before. */
  readonly wake: number;
}

async function measureBootstraps(): Promise<void> {
  const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
  const [service, plain] = [await Service.start(scene), await startPlainEtcd(scene)];
  // A service that has just started runs code that is not compiled yet.
  const { goclient } = await goClientOf(SERIES);
  for (const url of [service.url, plain]) {
    const { token } = await makeToken(url);
    await exec(goclient, ['create', url, `/_etcd/registry/${token}/members/1`, String(WARM_UP)]);
  }
  const times = { service: [] as Times[], plain: [] as Times[] };
  for (let round = 0; round <= rounds; round++) {
    const taken = { service: await measureOne(service.url), plain: await measureOne(plain) };
    // The first warms both up.
    if (round === 0) continue;
    times.service.push(taken.service);
    times.plain.push(taken.plain);
  }
  console.log(`discovery of 3 nodes of etcd ${SERIES}, medians of ${rounds} rounds, in ms`);
  for (const what of ['together', 'third', 'wake'] as const) {
    const [ours, theirs] = [times.service, times.plain].map((all) => all.map((each) => each[what]));
    if (ours === undefined || theirs === undefined) continue;
    const ratio = what === 'wake' ? '' : `, ratio ${(median(ours) / median(theirs)).toFixed(2)}`;
    console.log(`${what}: service ${summary(ours)}, plain etcd ${summary(theirs)}${ratio}`);
  }
}

async function startPlainEtcd(scene: Scene): Promise<string> {
  const [client, peer] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const flags = {
    'data-dir': `${scene.directory}/plain`,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  const run = scene.run('plain etcd', (await etcdOf(SERIES)).etcd, args);
  await scene.waitForLog(run, /ready to serve client requests/);
  return client ?? '';
}

async function measureOne(url: string): Promise<Times> {
  const etcd = await etcdOf(SERIES);
  const atOnce = await inScene(async (scene) => {
    const nodes = await startNodes(scene, { etcd, discovery: await makeToken(url) }, 3);
    await Promise.all(nodes.map(({ run }) => scene.waitForLog(run, END)));
    return nodes.map(({ run }) => ({ begin: timeOf(run, BEGIN), end: timeOf(run, END) }));
  });
  const inTurn = await inScene(async (scene) => {
    const discovery = await makeToken(url);
    const nodes = await startNodes(scene, { etcd, discovery }, 2);
    await Promise.all(nodes.map((node) => node.waitUntilWaiting()));
    const third = await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' });
    await Promise.all([third, ...nodes].map(({ run }) => scene.waitForLog(run, END)));
    const woken = Math.max(...nodes.map(({ run }) => timeOf(run, END)));
    return {
      third: timeOf(third.run, END) - timeOf(third.run, BEGIN),
      wake: woken - timeOf(third.run, /register member itself successfully/),
    };
  });
  const [begins, ends] = [atOnce.map(({ begin }) => begin), atOnce.map(({ end }) => end)];
  return { together: Math.max(...ends) - Math.min(...begins), ...inTurn };
}

/** The time in ms of the first log line with the pattern. */
function timeOf(run: Run, pattern: RegExp): number {
  const line = run.log.split('\n').find((each) => pattern.test(each)) ?? '';
  // 2026-01-02T03:04:05.678901Z: Date knows milliseconds only.
  const [, seconds = '', fraction = ''] = /"ts":"([^".]+)\.(\d+)Z"/.exec(line) ?? [];
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction}`) * 1000;
}

async function makeToken(url: string): Promise<TokenDiscovery> {
  const token = randomUUID();
  const { etcdctl } = await etcdctlOf(SERIES);
  await exec(etcdctl, ['--endpoints', url, 'put', `/_etcd/registry/${token}/_config/size`, '3']);
  return { token, endpoints: [url] };
}

/** Does something in a scene of its own. */
async function inScene<T>(body: (scene: Scene) => Promise<T>): Promise<T> {
  let close = async (): Promise<void> => {};
  const scene = await Scene.open({
    after: (cleanUp) => {
      close = cleanUp;
    },
  });
  try {
    return await body(scene);
  } finally {
    await close();
  }
}

function summary(values: readonly number[]): string {
  return `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function measureWatches(): Promise<void> {
  const { goclient } = await goClientOf(SERIES);
  const total = CLIENTS * WATCHES_EACH;
  const grown: number[] = [];
  for (const each of [1, WATCHES_EACH]) {
    grown.push(
      await inScene(async (scene) => {
        const service = await Service.start(scene);
        const prefix = `/_etcd/registry/${await service.createToken({ size: 3 })}/members`;
        const idle = async (...counts: number[]): Promise<Run> => {
          const run = scene.run('idle', goclient, ['idle', service.url, prefix, ...counts.map(String)]);
          await scene.waitForLog(run, /READY/);
          return run;
        };
        // What the first connections load and compile is nobody's share.
        await (await idle(20, 20)).stop('SIGKILL');
        const before = await residentBytes(service);
        await idle(CLIENTS, each);
        return (await residentBytes(service)) - before;
      }),
    );
  }
  const [connections = 0, all = 0] = grown;
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;
  console.log(`${total} idle watches on ${CLIENTS} connections: ${kilobytes(all / total)} a watch in all`);
  const more = (all - connections) / (total - CLIENTS);
  console.log(
    `${kilobytes(more)} a further watch, ${kilobytes(connections / CLIENTS)} a connection with one`,
  );
}

async function residentBytes(service: Service): Promise<number> {
  const { text } = await service.fetch('/metrics');
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
}

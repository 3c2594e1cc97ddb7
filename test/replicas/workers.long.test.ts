import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { expectCluster } from '../etcd/harness/cluster.ts';
import { EtcdNode, type NodeSetup, startNodes } from '../etcd/harness/node.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { builtEtcd, type Etcd, installedEtcd } from '../etcd/harness/versions.ts';
import { seedOfRun } from '../store/support/random.ts';
import { Command, run } from '../support/child.ts';
import { scrape } from '../support/scrape.ts';
import { check } from './check.ts';
import { Workload } from './workload.ts';

// Several real processes of one service behind one port.

const WORKERS = 2;
const REGISTRATIONS = 15;
/** Enough that they hardly ever all reach the same worker. */
const WAITERS = 40;

test('several workers require etcd', async () => {
  for (const [args, env, source] of [
    [['--workers', '2'], {}, '--workers "2"'],
    [[], { DISC_WORKERS: '2' }, 'DISC_WORKERS "2"'],
  ] as const) {
    assert.deepEqual(await run(['serve', ...args], env), {
      code: 2,
      stdout: '',
      stderr: `etcd-discovery: ${source}: the embedded store supports one process; use --etcd (DISC_ETCD) for several workers\n`,
    });
  }
});

const etcd = await installedEtcd();
const seed = seedOfRun();

suite('several workers over one etcd', { skip: etcd.missing ?? false, concurrency: 2 }, () => {
  if (etcd.missing !== undefined) return;

  test('all serve the port, one scrape has metrics of each, and a write at one wakes clients of the others', async (t) => {
    const { scene, service } = await open(t, etcd);
    const pids = await workersOf(scene, service, WORKERS);
    assert.equal(new Set(pids).size, WORKERS);
    assert.equal(linesOf(service, /^serving$/).length, 1, 'logged once for all workers');

    const url = await newUrl(service);
    const waiters = await startWaits(url);
    const spread = await scrapeAll(scene, service);
    assert.deepEqual(
      [spread.get('discovery_workers'), spread.get('discovery_workers_wanted')],
      [WORKERS, WORKERS],
    );
    await register(url, 1);
    for (const text of await Promise.all(waiters.map((waiter) => waiter.text()))) {
      assert.match(text, /"value":"infra1=http/);
    }

    // Whichever worker a connection reaches.
    const served = new Set<unknown>();
    await scene.until('both workers to respond', async () => {
      await Promise.all(Array.from({ length: 10 }, () => fetchText(url)));
      for (const { worker } of linesOf(service, /^request$/)) served.add(worker);
      return served.size === WORKERS ? true : undefined;
    });
  });

  test('clusters form without a wrong response while one worker after the other is killed', async (t) => {
    const { scene, service } = await open(t, etcd);
    const v3 = await builtEtcd('3.7');
    const workload = new Workload(seed, [service.url]).start();
    scene.after(() => workload.end());
    await workload.progress(REGISTRATIONS);
    const clusters: EtcdNode[][] = [];
    const dialects: Array<Omit<NodeSetup, 'name'>> = [{ etcd, discovery: await newUrl(service) }];
    if (v3.missing === undefined) {
      const token = new URL(await newUrl(service)).pathname.slice(1);
      dialects.push({ etcd: v3, discovery: { token, endpoints: [service.url] } });
    }
    for (const how of dialects) clusters.push(await startNodes(scene, how, 2));
    for (const node of clusters.flat()) await node.waitUntilWaiting();

    const first = await workersOf(scene, service, WORKERS);
    for (const [i, pid] of first.entries()) {
      process.kill(pid, 'SIGKILL');
      await workersOf(scene, service, WORKERS + i + 1);
    }
    for (const [i, how] of dialects.entries()) {
      clusters[i]?.push(await EtcdNode.start(scene, { ...how, name: 'infra3' }));
    }
    for (const nodes of clusters) await expectCluster(scene, nodes);
    await workload.progress(REGISTRATIONS);
    assert.deepEqual(check(await workload.stop()), []);
    assert.equal(service.command.child.exitCode, null);
    assert.equal(linesOf(service, /^a worker exited: SIGKILL; /).length, WORKERS);
    assert.doesNotMatch(service.command.stdout, /a defect/);
  });

  test('on SIGTERM all answer their waiting clients and exit, and then the service exits with 0', async (t) => {
    const { scene, service } = await open(t, etcd);
    const pids = await workersOf(scene, service, WORKERS);
    const waiters = await startWaits(await newUrl(service));
    service.command.child.kill('SIGTERM');
    for (const waiter of waiters) assert.deepEqual([waiter.status, await waiter.text()], [200, '']);
    assert.deepEqual(await service.command.ended, { code: 0, signal: null });
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(service.command.log().at(-1)?.['msg'], 'stopped');
  });

  test("SIGTERM to one worker ends its clients' waits only, and another worker replaces it", async (t) => {
    const { scene, service } = await open(t, etcd);
    const [pid = 0] = await workersOf(scene, service, WORKERS);
    const url = await newUrl(service);
    const waiters = await startWaits(url);
    const metrics = await scrapeAll(scene, service);
    const drained = metrics.get('discovery_waits{worker="1",surface="v2"}') ?? 0;
    let ended = 0;
    const answers = waiters.map(async (waiter) => {
      const text = await waiter.text();
      if (text === '') ended += 1;
      return text;
    });
    process.kill(pid, 'SIGTERM');
    await workersOf(scene, service, WORKERS + 1);
    await scene.until('the waits at one worker to end', () => (ended === drained ? true : undefined));
    await register(url, 1);
    const rest = (await Promise.all(answers)).filter((text) => text !== '');
    assert.equal(rest.length, WAITERS - drained);
    for (const text of rest) assert.match(text, /infra1/);
    assert.equal(linesOf(service, /^a worker exited: exit code 0/)[0]?.['level'], 'info');
  });

  test('a second signal ends all of them without waiting for calls in progress', async (t) => {
    const { scene, service } = await open(t, etcd, ['--grace', '1h']);
    const pids = await workersOf(scene, service, WORKERS);
    const { pathname, hostname, port } = new URL(await newUrl(service));
    const socket = connect(Number(port), hostname).on('error', () => {});
    // The response to the first request shows that the second, whose body never comes, is in progress.
    socket.write(
      `GET /health HTTP/1.1\r\nHost: x\r\n\r\nPUT ${pathname}/1 HTTP/1.1\r\nHost: x\r\n` +
        'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40\r\n\r\nvalue=',
    );
    await once(socket, 'data');
    service.command.child.kill('SIGTERM');
    await scene.until('the service to be stopping', () =>
      linesOf(service, /^stopping/).length > 0 ? true : undefined,
    );
    service.command.child.kill('SIGINT');
    assert.deepEqual(await service.command.ended, { code: 130, signal: null });
    await scene.until('the workers to exit', () => (pids.some(isAlive) ? undefined : true));
    socket.destroy();
  });

  test('no worker outlives the primary', async (t) => {
    const { scene, service } = await open(t, etcd);
    const pids = await workersOf(scene, service, WORKERS);
    service.command.child.kill('SIGKILL');
    await service.command.ended;
    await scene.until('the workers to exit', () => (!pids.some(isAlive) ? true : undefined));
    const { hostname, port } = new URL(service.url);
    const [error] = (await once(connect(Number(port), hostname), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  test('SIGUSR2 switches the log of all workers, also of those that start later', async (t) => {
    const { scene, service } = await open(t, etcd);
    const [pid = 0] = await workersOf(scene, service, WORKERS);
    service.command.child.kill('SIGUSR2');
    await scene.until('the log to switch', () =>
      linesOf(service, /^SIGUSR2/).length === 1 ? true : undefined,
    );
    process.kill(pid, 'SIGKILL');
    await workersOf(scene, service, WORKERS + 1);
    const probed = new Set<unknown>();
    await scene.until('the probes of both to be logged', async () => {
      await Promise.all(Array.from({ length: 10 }, () => fetchText(`${service.url}/livez`)));
      for (const { worker } of linesOf(service, /^request$/)) probed.add(worker);
      return probed.size === WORKERS ? true : undefined;
    });
    service.command.child.kill('SIGUSR2');
    await scene.until('the log to switch back', () =>
      linesOf(service, /^SIGUSR2/).length === 2 ? true : undefined,
    );
  });

  test('a failed start is reported by the command before any worker has served, and by the log later', async (t) => {
    const { scene, backing, service } = await open(t, etcd);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const store = ['--etcd', backing.endpoints, '--workers', '2'];
    const taken = await run(['serve', '--addr', `127.0.0.1:${port}`, ...store]);
    assert.match(taken.stderr, /^etcd-discovery: cannot listen on .*: .*already in use; .*--addr\n$/);
    assert.deepEqual([taken.code, taken.stdout], [1, '']);

    const [pid = 0] = await workersOf(scene, service, WORKERS);
    const [member] = backing.members;
    member?.proxy.cut();
    process.kill(pid, 'SIGKILL');
    await scene.until('the reason to be logged', () =>
      linesOf(service, /^a worker exited: --etcd .*; /).length >= 1 ? true : undefined,
    );
    member?.proxy.restore();
    await workersOf(scene, service, WORKERS + 1);
    assert.equal((await scrape(service.url)).get('discovery_workers'), WORKERS);
    assert.equal(service.command.child.exitCode, null);
  });
});

interface ManyWorkers {
  readonly command: Command;
  readonly url: string;
}

async function open(
  t: TestContext,
  etcd: Etcd,
  more: readonly string[] = [],
): Promise<{ scene: Scene; backing: BackingEtcd; service: ManyWorkers }> {
  const scene = await Scene.open(t);
  const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
  const flags = ['--addr', '127.0.0.1:0', '--etcd', backing.endpoints, '--workers', String(WORKERS)];
  const command = new Command(['serve', ...flags, ...more]);
  t.after(async () => {
    command.child.kill('SIGKILL');
    await command.ended;
  });
  let url: unknown;
  await scene.until('the service to be ready', () => {
    if (command.child.exitCode !== null) return `it exited: ${command.stderr}${command.stdout}`;
    url = command.log().find(({ msg }) => msg === 'serving')?.['url'];
    return url === undefined ? undefined : true;
  });
  return { scene, backing, service: { command, url: String(url) } };
}

function linesOf({ command }: ManyWorkers, msg: RegExp): Array<Record<string, unknown>> {
  return command.log().filter((line) => msg.test(String(line['msg'])));
}

/** Waits until this many workers have served, and returns their process ids. */
async function workersOf(scene: Scene, service: ManyWorkers, count: number): Promise<number[]> {
  const pids = (): number[] => linesOf(service, /^a worker is serving$/).map(({ pid }) => Number(pid));
  await scene.until(`${count} workers to have served`, () => (pids().length >= count ? true : undefined));
  return pids();
}

async function newUrl({ url }: ManyWorkers): Promise<string> {
  return fetchText(`${url}/new?size=3`);
}

/** Fetches a URL on a separate connection. */
async function fetchText(url: string): Promise<string> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

/** Starts waits of nodes, each on its own connection, and returns when all have their headers. */
async function startWaits(url: string): Promise<Response[]> {
  const waiters: Response[] = [];
  for (let i = 0; i < WAITERS; i++) waiters.push(await fetch(`${url}?recursive=true&wait=true`));
  return waiters;
}

/** Returns the metrics once they include all waiters: a scrape leaves out a worker that is slow to respond. */
async function scrapeAll(scene: Scene, { url }: ManyWorkers): Promise<ReadonlyMap<string, number>> {
  let samples: ReadonlyMap<string, number> = new Map();
  await scene.until('all waiters to be counted', async () => {
    samples = await scrape(url);
    const at = (worker: number): number =>
      samples.get(`discovery_waits{worker="${worker}",surface="v2"}`) ?? 0;
    return at(1) + at(2) === WAITERS ? true : undefined;
  });
  return samples;
}

async function register(url: string, i: number): Promise<void> {
  const body = new URLSearchParams({ value: `infra${i}=http://10.0.0.${i}:2380` });
  const answer = await fetch(`${url}/${i}?prevExist=false`, { method: 'PUT', body });
  assert.equal(answer.status, 201, await answer.text());
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

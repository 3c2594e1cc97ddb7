import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import type { Token } from '../../../src/discovery/types.ts';
import { overran } from '../../../src/store/lmdb/fault.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run, SpawnedService } from '../../support/child.ts';
import { scrape } from '../../support/scrape.ts';
import { waitFor } from '../../support/wait.ts';
import { at, create, node, token } from '../support/commands.ts';
import { StoreProcess } from '../support/process.ts';
import { smallDisk } from '../support/tmpfs.ts';
import { readWhole } from '../support/verify.ts';

const FULL = /^nothing was changed: .*: the disk of the data directory is full; free some space$/;

function skip(t: TestContext, reason: string): void {
  console.log(`skipped: ${reason}`);
  t.skip(reason);
}

function newDirectory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts a process that ends with the test at the latest. */
function start(t: TestContext, ...args: ConstructorParameters<typeof StoreProcess>): StoreProcess {
  const started = new StoreProcess(...args);
  t.after(() => started.kill());
  return started;
}

/** Creates tokens, several at once, until a write is rejected. Returns the acknowledged tokens and the errors. */
async function writeUntilRefused(
  discovery: Discovery,
  atOnce: number,
): Promise<{ acknowledged: Token[]; refusals: DiscoveryError[] }> {
  const acknowledged: Token[] = [];
  const refusals: DiscoveryError[] = [];
  while (refusals.length === 0) {
    const tokens = Array.from({ length: atOnce }, () => token());
    const results = await Promise.allSettled(
      tokens.map(async (t) => {
        await discovery.createToken(create(t));
        acknowledged.push(t);
        for (const n of [1, 2, 3]) await discovery.register(t, node(n));
      }),
    );
    for (const each of results) if (each.status === 'rejected') refusals.push(each.reason as DiscoveryError);
  }
  return { acknowledged, refusals };
}

async function assertAllRead(store: Store, tokens: Iterable<Token>): Promise<void> {
  for (const t of tokens) assert.equal((await store.read(t)).cluster?.token, t);
}

test('a full disk rejects writes and serves reads, and writes succeed again when there is room', async (t) => {
  const disk = smallDisk(6144);
  if (typeof disk === 'string') return skip(t, disk);
  t.after(() => disk.remove());
  const path = join(disk.path, 'data');
  let store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  let discovery = new Discovery(store, DEFAULT_POLICY);
  const kept = new Set<Token>();
  for (let round = 0; round < 6; round++) {
    disk.fill(round * 30_000);
    const { acknowledged, refusals } = await writeUntilRefused(discovery, 5 + 10 * round);
    for (const each of refusals) {
      assert.ok(each instanceof DiscoveryError, String(each));
      assert.equal(each.reason, 'STORE_UNAVAILABLE');
      assert.match(each.message, FULL);
    }
    for (const each of acknowledged) kept.add(each);
    await assertAllRead(store, kept);
    await assert.rejects(store.ping(), { message: FULL });
    // Deletions use the reserve, and the space that they free is reused.
    if (round % 2 === 1) {
      for (const each of [...kept].filter((_, i) => i % 2 === 1)) {
        await discovery.deleteToken(each);
        kept.delete(each);
      }
      await store.sweep(at(Date.now() + 1), 10_000);
      await waitFor('a write into the freed space', () =>
        store.ping().then(
          () => true,
          () => false,
        ),
      );
      const used = token();
      await discovery.createToken(create(used));
      kept.add(used);
    }

    // A full disk cannot be opened either, and the error says why; the data stays.
    if (round === 2) {
      disk.fill();
      await store.close();
      const { code, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', path]);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^etcd-discovery: cannot open the data directory \S+: the disk .* is full; free some space\n$/,
      );
    }
    disk.free();
    if (round === 2) {
      store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
      discovery = new Discovery(store, DEFAULT_POLICY);
    }
    await assertAllRead(store, kept);
    const fresh = token();
    await waitFor('a write to succeed', () =>
      discovery.createToken(create(fresh)).then(
        () => true,
        () => false,
      ),
    );
    kept.add(fresh);
    // Deletes half of them, so that the next round finds free pages in the file.
    for (const each of [...kept].filter((_, i) => i % 2 === 0)) {
      await discovery.deleteToken(each);
      kept.delete(each);
    }
    await store.sweep(at(Date.now() + 1), 10_000);
  }
  await store.close();
  const { clusters } = await readWhole(path);
  for (const each of kept) assert.ok(clusters.has(each));
});

test('a first start on a full disk is rejected with exit code 1, and succeeds when there is room', async (t) => {
  const disk = smallDisk(3072);
  if (typeof disk === 'string') return skip(t, disk);
  t.after(() => disk.remove());
  const path = join(disk.path, 'data');
  for (const room of [0, 4096, 8192, 20_480, 65_536, 122_880]) {
    disk.fill(room);
    const { code, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', path]);
    assert.equal(code, 1, `with ${room} bytes of room: ${stderr}`);
    assert.match(
      stderr,
      /^etcd-discovery: cannot .* the data directory \S+.*(the disk of the data directory is full; free some space|no space left).*\n$/i,
    );
    disk.free();
  }
  await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
});

test('a file size limit rejects writes, and acknowledged ones are kept', async (t) => {
  const path = newDirectory(t);
  // A little more than a first start takes: some hundreds of writes, each flushed on its own.
  const limited = ['bash', '-c', 'ulimit -f 1600; exec "$@"', 'bash'];
  const child = start(t, [path, 'write', '3000'], { command: limited });
  await waitFor('a rejected write', () => child.lines('refused').length > 0, 240_000);
  const [refused = ''] = child.lines('refused');
  assert.ok(refused.endsWith('raise the limit (ulimit -f)'), refused);
  await child.kill();
  const { clusters } = await readWhole(path);
  const acknowledged = child.lines('acknowledged').map((line) => line.split(' ')[1] as Token);
  assert.ok(acknowledged.length > 0);
  for (const each of acknowledged) assert.ok(clusters.has(each));
  const opened = start(t, [newDirectory(t), 'leave'], {
    command: ['bash', '-c', 'ulimit -f 50; exec "$@"', 'bash'],
  });
  assert.deepEqual(await opened.ended, { code: 1, signal: null });
  assert.match(opened.stderr, /^STORE_UNAVAILABLE: .* raise the limit \(ulimit -f\)\n$/);
});

/** Returns the command line of strace, or why strace cannot be used. */
function strace(...options: string[]): string[] | string {
  const works = spawnSync('strace', ['-f', '-qq', '-e', 'trace=none', 'true']);
  if (works.status !== 0) return 'strace is not installed, or not permitted';
  return ['strace', '-f', '-qq', ...options];
}

// One thread for all file operations, so that strace can count its calls.
const ONE_THREAD = { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } };

test('a disk error rejects the writes that it hits, and no others', async (t) => {
  const path = newDirectory(t);
  await start(t, [path, 'write', '5']).ended;
  // The third and the fourth flush of each thread fail: the event loop's and LMDB's writer's.
  const command = strace(
    '-o',
    '/dev/null',
    '-e',
    'trace=fdatasync',
    '-e',
    'inject=fdatasync:error=EIO:when=3..4',
  );
  if (typeof command === 'string') return skip(t, command);
  const child = start(t, [path, 'write', '20'], { command, options: ONE_THREAD });
  assert.equal((await child.ended).code, 0);
  const refused = child.lines('refused');
  assert.ok(refused.length > 0, child.stdout);
  for (const line of refused) {
    assert.match(
      line,
      /nothing was changed: .*: the disk of the data directory reported an error \(Input\/output error\); check the/,
    );
  }
  const acknowledged = child.lines('acknowledged').map((line) => line.split(' ')[1] as Token);
  assert.equal(acknowledged.length, 20 - refused.length);
  assert.ok(
    child.stdout.lastIndexOf('acknowledged') > child.stdout.indexOf('refused'),
    'later writes succeeded',
  );
  const { clusters } = await readWhole(path);
  for (const each of acknowledged) assert.ok(clusters.has(each));
  for (const line of refused) assert.equal(clusters.has(line.split(' ')[1] as Token), false);
});

// This is what the kernel does to a damaged file system. The first writes are those of the start. strace counts per thread,
// and two threads may write, so the number decides which page of a transaction is hit.
for (const when of [7, 9]) {
  test(`a file system that becomes read-only at write ${when} rejects writes, and keeps acknowledged ones`, async (t) => {
    const path = newDirectory(t);
    await start(t, [path, 'write', '5']).ended;
    const command = strace(
      '-o',
      '/dev/null',
      '-e',
      'trace=pwrite64',
      '-e',
      `inject=pwrite64:error=EROFS:when=${when}+`,
    );
    if (typeof command === 'string') return skip(t, command);
    const child = start(t, [path, 'write', '18'], { command, options: ONE_THREAD });
    const { code, signal } = await child.ended;
    const acknowledged = child.lines('acknowledged').map((line) => line.split(' ')[1] as Token);
    assert.ok(acknowledged.length > 0, child.stdout);
    const reports = child.reports();
    for (const line of reports) assert.match(line, /is on a read-only file system; remount it read-write$/);
    // There are three allowed endings: it refuses writes and continues; or it says why and exits with 1; or glibc aborts
    // it, before or after it says why, because LMDB wrote past the end of its buffer for the error text.
    const hasEnded = reports.some((line) => line.startsWith('the store has failed'));
    if (signal === null) {
      assert.ok(reports.length > 0, child.stderr);
      assert.equal(code, hasEnded ? 1 : 0, child.stderr);
    } else {
      assert.equal(signal, 'SIGABRT');
      assert.match(child.stderr, /Write error: [^]*(corrupted |\w\(\): |double free)/);
    }
    // It never continues after LMDB wrote past the end of that buffer.
    for (const line of child.lines('because')) assert.equal(overran(new Error(line)), false, line);
    const { clusters } = await readWhole(path);
    for (const each of acknowledged) assert.ok(clusters.has(each));
  });
}

test('a service with a full disk tells nodes and operators, serves reads, and recovers when there is room', async (t) => {
  const disk = smallDisk(1600);
  if (typeof disk === 'string') return skip(t, disk);
  t.after(() => disk.remove());
  const service = await SpawnedService.start([], { dataDir: join(disk.path, 'data') });
  t.after(() => service.end('SIGKILL'));
  const url = await (await fetch(`${service.url}/new?size=50`)).text();
  const put = (n: number): Promise<Response> =>
    fetch(`${url}/${n}?prevExist=false`, {
      method: 'PUT',
      body: new URLSearchParams({ value: `infra${n}=http://10.0.0.${n}:2380` }),
    });
  assert.equal((await put(1)).status, 201);
  disk.fill();
  const createForty = (): Promise<Response[]> =>
    Promise.all(Array.from({ length: 40 }, () => fetch(`${service.url}/new?size=3`)));
  let refused: Response | undefined;
  await waitFor('a rejected write', async () => {
    const answers = await createForty();
    refused = answers.find((answer) => !answer.ok);
    return refused !== undefined;
  });
  assert.match((await refused?.text()) ?? '', /the disk of the data directory is full; free some space/);
  // One registration needs less room than forty tokens together, and may still fit.
  let last = 1;
  await waitFor('a registration to be refused', async () => {
    await createForty();
    last += 1;
    const answer = await put(last);
    if (answer.ok) return false;
    assert.match(await answer.text(), /the disk of the data directory is full; free some space/);
    return true;
  });
  assert.equal((await fetch(url)).status, 200);
  assert.equal((await fetch(`${service.url}/health`)).status, 503);
  assert.ok(Number((await scrape(service.url)).get('discovery_store_room_bytes')) < 1_600_000);
  disk.free();
  await waitFor('the service to be ready', async () => (await fetch(`${service.url}/health`)).status === 200);
  await waitFor('a write to succeed', async () => (await put(last)).status === 201);
  const { node: listed } = (await (await fetch(url)).json()) as { node: { nodes: unknown[] } };
  assert.equal(listed.nodes.length, last);
});

test('when LMDB gives up, the process prints one line, exits with 1, and restarts with all data', async (t) => {
  const path = newDirectory(t);
  await start(t, [path, 'write', '5']).ended;
  let ended = 0;
  // Some of these calls write a meta page, which LMDB does not survive; it survives the others.
  for (let when = 4; when <= 10; when++) {
    const command = strace(
      '-o',
      '/dev/null',
      '-e',
      'trace=pwrite64',
      '-e',
      `inject=pwrite64:error=EIO:when=${when}`,
    );
    if (typeof command === 'string') return skip(t, command);
    const child = start(t, [path, 'write', '3'], { command, options: ONE_THREAD });
    const { code } = await child.ended;
    if (code === 1 && child.lines('open').length > 0) {
      ended += 1;
      assert.match(
        child.stderr,
        /the store has failed, and the service exits .*: the disk of the data directory reported an error \(Input\/output error\); check .*$/m,
      );
    }
    const { clusters } = await readWhole(path);
    for (const line of child.lines('acknowledged')) assert.ok(clusters.has(line.split(' ')[1] as Token));
  }
  assert.ok(ended > 0, 'a meta page was hit');
});

test('a write is acknowledged after its data and its meta page were flushed', async (t) => {
  const path = newDirectory(t);
  const trace = join(newDirectory(t), 'trace');
  const command = strace('-o', trace, '-e', 'trace=openat,pwrite64,fdatasync,write');
  if (typeof command === 'string') return skip(t, command);
  const child = start(t, [path, 'write', '20'], { command });
  assert.equal((await child.ended).code, 0);
  let flushed = false;
  let committed = false;
  let acknowledged = 0;
  let synchronous: string | undefined;
  let isOpening = false;
  for (const line of readFileSync(trace, 'latin1').split('\n')) {
    const done = (call: string): boolean => line.includes(`${call}(`) || line.includes(`${call} resumed`);
    // strace splits a call into two lines if another thread makes one in between.
    isOpening ||= line.includes('data.mdb", O_WRONLY|O_DSYNC|O_CLOEXEC');
    const opened = isOpening && done('openat') ? /\) += (\d+)$/.exec(line) : null;
    if (opened !== null) {
      synchronous = opened[1];
      isOpening = false;
    }
    if (done('fdatasync') && line.endsWith('= 0')) flushed = true;
    // The meta page is written through a descriptor with synchronous writes.
    if (line.includes(`pwrite64(${synchronous},`)) committed = flushed;
    if (!line.includes('write(1, "acknowledged')) continue;
    assert.ok(flushed && committed, `acknowledgement ${acknowledged + 1} came before the flush`);
    acknowledged += 1;
    flushed = false;
    committed = false;
  }
  assert.equal(acknowledged, 20);
});

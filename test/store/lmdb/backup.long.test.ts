import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { millis, type Token } from '../../../src/discovery/types.ts';
import { restore, revisionAfter } from '../../../src/store/lmdb/care/restore.ts';
import { putRevision } from '../../../src/store/lmdb/counters.ts';
import { type Databases, openDatabases } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { fill } from '../../moving/clusters.ts';
import { run, SpawnedService } from '../../support/child.ts';
import { create, memberId, node, token } from '../support/commands.ts';
import { StoreProcess } from '../support/process.ts';
import { Random, seedOfRun } from '../support/random.ts';
import { readWhole } from '../support/verify.ts';

const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const random = new Random(seedOfRun());
let made = 0;
function freshPath(name: string): string {
  made += 1;
  return join(home, `${made}-${name}`);
}

async function filledDirectory(count: number): Promise<string> {
  const path = freshPath('data');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  await fill(store, random, count);
  await store.close();
  return path;
}

async function runOk(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args);
  assert.deepEqual([code, stderr], [0, ''], stdout);
  return stdout;
}

async function expectRefused(args: string[], pattern: RegExp): Promise<void> {
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 1, stdout);
  assert.match(stderr, pattern);
  assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
  assert.equal(stdout, '');
}

test('a backup during writes is complete, and has every write acknowledged before it began', async () => {
  const path = freshPath('data');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const acknowledged = new Map<Token, number>();
  let writes = 0;
  const stopping = new AbortController();
  const write = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const t = token();
      await discovery.createToken(create(t));
      acknowledged.set(t, 0);
      for (const n of [1, 2, 3]) {
        await discovery.register(t, node(n));
        acknowledged.set(t, n);
        writes += 1;
      }
      if (random.chance(0.3)) {
        await discovery.deleteToken(t);
        acknowledged.delete(t);
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 32 }, write));
  let meanwhile = 0;
  for (let i = 0; i < 4; i++) {
    const file = freshPath('backup');
    const before = new Map(acknowledged);
    const already = writes;
    assert.match(await runOk('backup', file, '--data-dir', path), /: no problems found$/m);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    meanwhile += writes - already;
    const to = freshPath('data');
    await runOk('restore', file, '--data-dir', to);
    // The tests' own reader agrees with the check.
    const { clusters } = await readWhole(to);
    for (const [t, members] of before) {
      const found = clusters.get(t)?.cluster;
      assert.ok(found !== undefined, 'an acknowledged token is missing');
      assert.ok(found.deleteTime !== undefined || found.members.length >= members);
    }
    assert.ok(clusters.size < acknowledged.size * 2 + 100);
  }
  assert.ok(meanwhile > 0, 'there were concurrent writes');
  stopping.abort();
  await writers;
  await store.close();
  assert.deepEqual(
    readdirSync(home).filter((name) => name.startsWith('.')),
    [],
    'nothing is left behind',
  );
});

test('a service continues from a restored backup, with revisions after all earlier ones', async () => {
  const from = await filledDirectory(30);
  const [file, to] = [freshPath('backup'), freshPath('data')];
  await runOk('backup', file, '--data-dir', from);
  await runOk('restore', file, '--data-dir', to, '--keep-assembling');
  const [before, restored] = [await readWhole(from), await readWhole(to)];
  assert.deepEqual(restored.clusters, before.clusters);
  const service = await SpawnedService.start([], { dataDir: to });
  const answer = await fetch(`${service.url}/new?size=1`, { method: 'PUT' });
  const url = await answer.text();
  const registered = await fetch(`${url}/1?prevExist=false`, {
    method: 'PUT',
    body: new URLSearchParams({ value: 'a=http://10.0.0.1:2380' }),
  });
  const { node: made } = (await registered.json()) as { node: { createdIndex: number } };
  assert.ok(Number.isSafeInteger(made.createdIndex));
  assert.ok(made.createdIndex > Number(before.revision) + 1_000_000_000);
  await service.end();
});

test('a restore closes the tokens of assembling clusters, and their nodes get an error with the reason', async () => {
  const from = freshPath('data');
  const store = await openLmdbStore({ path: from, policy: DEFAULT_POLICY });
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const [empty, assembling, complete] = [token(), token(), token()];
  for (const t of [empty, assembling, complete]) await discovery.createToken(create(t));
  for (const n of [1, 2]) await discovery.register(assembling, node(n));
  for (const n of [1, 2, 3]) await discovery.register(complete, node(n));
  await store.close();
  const [file, to] = [freshPath('backup'), freshPath('data')];
  await runOk('backup', file, '--data-dir', from);
  const stdout = await runOk('restore', file, '--data-dir', to, '--output', 'json');
  assert.equal((JSON.parse(stdout) as { closedTokens: number }).closedTokens, 2);
  assert.match(await runOk('check', '--data-dir', to), /no problems found/);
  const service = await SpawnedService.start([], { dataDir: to });
  for (const t of [empty, assembling]) {
    const answer = await fetch(`${service.url}/${t}/id9?prevExist=false`, {
      method: 'PUT',
      body: new URLSearchParams({ value: 'infra9=http://10.0.0.9:2380' }),
    });
    assert.equal(answer.status, 404);
    const { message, cause } = (await answer.json()) as { message: string; cause: string };
    assert.equal(message, 'Token deleted');
    assert.match(cause, /restored from a backup.*\/new\?size=3/);
  }
  const list = (await (await fetch(`${service.url}/${complete}`)).json()) as { node: { nodes: unknown[] } };
  assert.equal(list.node.nodes.length, 3);
  await service.end();
});

test('a backup restored twice never reuses a revision', async () => {
  const from = await filledDirectory(1);
  const [file, to] = [freshPath('backup'), freshPath('data')];
  await runOk('backup', file, '--data-dir', from);
  let lastRevision = 0n;
  for (const replace of [false, true]) {
    await restore(file, to, { replace, keepAssembling: true });
    const store = await openLmdbStore({ path: to, policy: DEFAULT_POLICY });
    const discovery = new Discovery(store, DEFAULT_POLICY);
    const first = await discovery.createToken(create(token()));
    assert.ok(first.revision > lastRevision, `${first.revision} after ${lastRevision}`);
    for (let i = 0; i < 20; i++) ({ revision: lastRevision } = await discovery.createToken(create(token())));
    await store.close();
  }
});

test('a backup of restored data, restored twice at once, never reuses a revision, whatever the clock', async (t) => {
  const [first, from] = [freshPath('backup'), freshPath('data')];
  await runOk('backup', first, '--data-dir', await filledDirectory(1));
  const now = Date.now();
  for (const [name, shift] of [
    ['right', 0],
    ['an hour back', -3_600_000],
    ['ahead', 3_600_000],
  ] as const) {
    rmSync(from, { recursive: true, force: true });
    await restore(first, from, { replace: false, keepAssembling: true });
    const file = freshPath('backup');
    await runOk('backup', file, '--data-dir', from);
    // The clock stands still.
    t.mock.timers.enable({ apis: ['Date'], now: now + shift });
    const [one, two] = [freshPath('data'), freshPath('data')];
    for (const to of [one, two]) await restore(file, to, { replace: false, keepAssembling: true });
    t.mock.timers.reset();
    const [before, a, b] = [await readWhole(from), await readWhole(one), await readWhole(two)];
    assert.ok(a.revision > before.revision && b.revision > before.revision, name);
    assert.notEqual(a.revision, b.revision, name);
    // A restore over existing data continues after both.
    await restore(file, one, { replace: true, keepAssembling: true });
    assert.ok((await readWhole(one)).revision > a.revision, name);
  }
});

test('successive restores leave room between their revisions, and stay below 2^53', () => {
  const now = Date.now();
  const long = 5000;
  assert.ok(revisionAfter(17, now) + 1_000_000 < revisionAfter(17, now + long));
  const restored = revisionAfter(17, now);
  assert.ok(revisionAfter(restored, now + 60_000) + 1_000_000 < revisionAfter(restored, now + 60_000 + long));
  let latest = restored;
  for (let i = 0; i < 1000; i++) {
    const next = revisionAfter(latest, 0);
    assert.ok(next >= latest + 1_000_000_000);
    latest = next;
  }
  assert.ok(Number.isSafeInteger(latest * 4));
});

test('with the clock at 1970, restored data continues a billion revisions later', async (t) => {
  const from = await filledDirectory(1);
  const [file, to] = [freshPath('backup'), freshPath('data')];
  await runOk('backup', file, '--data-dir', from);
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  await restore(file, to, { replace: false, keepAssembling: true });
  t.mock.timers.reset();
  const [before, restored] = [await readWhole(from), await readWhole(to)];
  assert.ok(restored.revision >= before.revision + 1_000_000_000n);
});

test('a backup never overwrites a file, and a restore never replaces data in use, or any data without --replace', async () => {
  const from = await filledDirectory(5);
  const file = freshPath('backup');
  await runOk('backup', file, '--data-dir', from);
  await expectRefused(
    ['backup', file, '--data-dir', from],
    /already exists and was not overwritten; choose another name/,
  );
  const absent = freshPath('absent');
  await expectRefused(
    ['backup', join(absent, 'file'), '--data-dir', from],
    new RegExp(`: ${absent} does not exist`),
  );
  const data = readFileSync(join(from, 'data.mdb'));
  await expectRefused(['restore', file, '--data-dir', from], /already has data; .* --replace/);
  assert.deepEqual(readFileSync(join(from, 'data.mdb')), data);
  const service = await SpawnedService.start([], { dataDir: from });
  await expectRefused(
    ['restore', file, '--data-dir', from, '--replace'],
    /another process is using the data directory/,
  );
  for (const command of ['check', 'restore']) {
    await expectRefused(
      [command, join(from, 'data.mdb'), '--data-dir', freshPath('data')],
      /data\.mdb is in use; /,
    );
  }
  await service.end();
  const served = readFileSync(join(from, 'data.mdb'));
  const output = await runOk('restore', file, '--data-dir', from, '--replace');
  const [, kept = ''] = /^kept the old data as (.*)$/m.exec(output) ?? [];
  assert.deepEqual(readFileSync(kept), served);
  assert.match(await runOk('check', '--data-dir', from), /no problems found/);
});

test('a backup replaces damaged data', async () => {
  const from = await filledDirectory(5);
  const file = freshPath('backup');
  await runOk('backup', file, '--data-dir', from);
  writeFileSync(join(from, 'data.mdb'), Buffer.alloc(8192, 1));
  await expectRefused(['check', '--data-dir', from], /is damaged or was not written by etcd-discovery/);
  await expectRefused(
    ['backup', freshPath('backup'), '--data-dir', from],
    /is damaged or was not written by etcd-discovery/,
  );
  await runOk('restore', file, '--data-dir', from, '--replace');
  assert.equal((await readWhole(from)).clusters.size, 5);
});

test('an incomplete backup is rejected, and nothing changes', async () => {
  const from = await filledDirectory(60);
  const file = freshPath('backup');
  await runOk('backup', file, '--data-dir', from);
  const whole = readFileSync(file);
  const to = freshPath('data');
  for (const [change, pattern] of [
    [() => Buffer.alloc(0), /is empty$/m],
    [() => Buffer.from('not a backup'), /is damaged/],
    [() => whole.subarray(0, whole.length >> 1), /is damaged: the file is truncated/],
    [
      () => Buffer.from(whole).fill(0, 4096 * 2, whole.length - 4096),
      /is damaged: page \d+ of \w+ is invalid/,
    ],
  ] satisfies Array<[() => Buffer, RegExp]>) {
    writeFileSync(file, change());
    await expectRefused(['restore', file, '--data-dir', to], pattern);
    await expectRefused(['check', file], pattern);
    assert.equal(existsSync(to), false);
  }
  rmSync(file);
  await expectRefused(['restore', file, '--data-dir', to], /does not exist$/m);
  await expectRefused(['backup', file, '--data-dir', to], /there is no data in/);
});

/** Damage that a walk over the pages cannot find. */
const PLANTED: ReadonlyArray<[what: string, plant: (data: Databases, t: Token) => unknown, pattern: RegExp]> =
  [
    [
      'a missing event',
      ({ events }, t) => events.remove([...events.getKeys({ start: [t, 1], limit: 1 })][0] ?? [t, 0]),
      /^token abc\w?\.\.\.: it has 3 events, expected 4$/m,
    ],
    [
      'an event without a token',
      ({ events }) => events.put([token('zzzzzzzz'), 3], []),
      /^token zz\.\.\.: it has an event but no record$/m,
    ],
    [
      'an event without a token, after all others',
      ({ events }) => events.put([token('~~zzzzzz'), 3], []),
      /^token ~~\.\.\.: it has an event but no record$/m,
    ],
    [
      'a token missing from the index',
      ({ ends }) => ends.remove([...ends.getKeys()][0] ?? [0, token()]),
      /^token abc\w?\.\.\.: it is not in the index of end times$/m,
    ],
    [
      'an index entry without a token',
      ({ ends }) => ends.put([1, token('zz')], true),
      /^the index of end times has 2 entries, but there are 1 tokens$/m,
    ],
    [
      'a counter that is behind',
      (data) => data.meta.transactionSync(() => putRevision(data, 2)),
      /: its revision is 5, but the counter is at 2$/m,
    ],
    [
      'an invalid record',
      ({ clusters }, t) => clusters.put(t, [1, 2, 3]),
      /^token abc\w?\.\.\.: the data .* is damaged: a record has an unexpected structure/m,
    ],
    [
      'a member with another name',
      ({ clusters }, t) =>
        clusters.put(
          t,
          (clusters.get(t) as unknown[]).map((each) => (each === 'infra1' ? 'infra7' : each)),
        ),
      /: its events do not produce its members$/m,
    ],
    [
      'a record without its cut',
      ({ clusters }, t) =>
        clusters.put(
          t,
          (clusters.get(t) as unknown[]).map((each, i) => (i === 2 ? false : each)),
        ),
      /: its events and its record disagree about a removed member or its end$/m,
    ],
  ];

test('check reports records, events, index and counter that disagree, also in a backup of them', async () => {
  for (const [what, plant, pattern] of PLANTED) {
    const path = freshPath('data');
    const t = token('abcdefghijkl');
    const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
    const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(1_800_000_000_000));
    await discovery.createToken(create(t));
    for (const n of [1, 3]) await discovery.register(t, node(n));
    await discovery.deregister(t, memberId('id3'), undefined);
    await discovery.register(t, node(2));
    await store.close();
    const data = await openDatabases(path);
    await plant(data, t);
    await data.env.close();
    await data.claim.close();
    const { code, stdout, stderr } = await run(['check', '--data-dir', path]);
    assert.equal(code, 1, what);
    assert.match(stderr, pattern, what);
    assert.match(stdout, /: \d problems? found$/m);
    if (what !== PLANTED[0]?.[0]) continue;
    const file = freshPath('backup');
    for (const args of [
      ['backup', file, '--data-dir', path],
      ['check', file],
    ]) {
      const again = await run(args);
      assert.deepEqual([again.code, again.stderr], [1, stderr]);
    }
    await expectRefused(['restore', file, '--data-dir', freshPath('data')], /is damaged: /);
  }
});

test('a killed backup keeps the file from reusing pages until the next sweep', async () => {
  const path = freshPath('data');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const t = token();
  // LMDB's writer thread checks for dead readers itself in its first transaction, and then every ten minutes.
  await Promise.all(Array.from({ length: 100 }, () => discovery.createToken(create(token()))));
  await discovery.createToken(create(t));
  const growth = async (): Promise<number> => {
    const size = (): number => statSync(join(path, 'data.mdb')).size;
    await discovery.register(t, node(0, { mode: 'CREATE_OR_REPLACE' }));
    const before = size();
    for (let n = 1; n <= 100; n++) {
      await discovery.register(t, { ...node(n), id: memberId('id0'), mode: 'CREATE_OR_REPLACE' });
    }
    return size() - before;
  };
  await growth();
  const reader = await new StoreProcess([path, 'look']).opened();
  await reader.kill();
  const held = await growth();
  await store.sweep(millis(1), 1);
  const free = await growth();
  assert.ok(
    held > 10 * free && held > 500_000,
    `${held} bytes with the dead reader, ${free} after the sweep`,
  );
  await store.close();
});

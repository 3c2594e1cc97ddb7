import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import { millis, revision, type Token } from '../../src/discovery/types.ts';
import { type ExportCounts, exportLines } from '../../src/moving/export.ts';
import { carryInto, type ImportCounts, importClusters, lookInto } from '../../src/moving/import.ts';
import { readExport } from '../../src/moving/read-file.ts';
import { allEvents } from '../store/laws/subject.ts';
import { create, HOUR, memberId, node, size, token, ttl } from '../store/support/commands.ts';
import { lmdbPlace, memoryPlace } from '../store/support/place.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { contents, fill } from './clusters.ts';

const random = new Random(seedOfRun());
const NOTHING: ImportCounts = { imported: 0, members: 0, there: 0, conflicts: 0, expired: 0, bad: 0 };

async function exported(store: Store, now = Date.now()): Promise<{ text: string; counts: ExportCounts }> {
  const counts: ExportCounts = { exported: 0, members: 0, expired: 0, deleted: 0, closed: 0, damaged: 0 };
  let text = '';
  for await (const line of exportLines(store, millis(now), counts, () => assert.fail('nothing is damaged')))
    text += line;
  return { text, counts };
}

async function imported(
  text: string,
  carry: Parameters<typeof importClusters>[1],
  now = Date.now(),
): Promise<{ counts: ImportCounts; reports: string[] }> {
  const counts = { ...NOTHING };
  const reports: string[] = [];
  const report = (line: string): number => reports.push(line);
  await importClusters(readExport(chunksOf(text)), carry, {
    policy: DEFAULT_POLICY,
    now: millis(now),
    counts,
    report,
  });
  return { counts, reports };
}

/** Yields a text in pieces of random length. */
async function* chunksOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  const whole = Buffer.from(text);
  for (let at = 0; at < whole.length; ) {
    const end = at + random.between(1, 1000);
    yield whole.subarray(at, end);
    at = end;
  }
}

async function memoryStore(): Promise<Store> {
  return memoryPlace().open(DEFAULT_POLICY);
}

test('a store moves to another kind and back with sizes, times, flags and members by rank', async () => {
  const place = lmdbPlace();
  const [embedded, other, back] = [
    await place.open(DEFAULT_POLICY),
    await memoryStore(),
    await memoryStore(),
  ];
  await fill(embedded, random, 300);
  const there = await exported(embedded);
  const { counts } = await imported(there.text, carryInto(other));
  assert.deepEqual(counts, { ...NOTHING, imported: 300, members: there.counts.members });
  assert.deepEqual(await contents(other), await contents(embedded));
  await imported((await exported(other)).text, carryInto(back));
  assert.deepEqual(await contents(back), await contents(embedded));
  await embedded.close();
  place.destroy();
});

test('the new store has an event for each member, and watches and registrations continue from there', async () => {
  const [from, to] = [await memoryStore(), await memoryStore()];
  const t = token();
  const source = new Discovery(from, DEFAULT_POLICY);
  await source.createToken(create(t));
  for (const n of [2, 1]) await source.register(t, node(n));
  await source.deregister(t, memberId('id2'), undefined);
  await source.register(t, node(3));
  await imported((await exported(from)).text, carryInto(to));
  const events = await allEvents(to, t, 0, 10);
  const { members } = (await source.getCluster(t)).cluster;
  assert.deepEqual(
    events.map(({ type, time, member }) => [type, time, member?.id]),
    members.map(({ id, registerTime }) => ['REGISTERED', registerTime, id]),
  );
  const last = await new Discovery(to, DEFAULT_POLICY).register(t, node(4));
  assert.equal(last.cluster.members.length, 3);
  assert.deepEqual(
    (await to.events(t, events.at(-1)?.revision ?? revision(0), 10)).map(({ member }) => member?.id),
    ['id4'],
  );
});

test('a reopened token moves even if it is older than the longest TTL', async () => {
  const [from, to] = [await memoryStore(), await memoryStore()];
  let now = millis(Date.now());
  const discovery = new Discovery(from, DEFAULT_POLICY, () => now);
  const t = token();
  const { ttl: longest } = ttl(DEFAULT_POLICY.maxTtl);
  await discovery.createToken(create(t, ttl(longest)));
  now = millis(now + longest - HOUR);
  await discovery.reopenToken(t, longest);
  const { text } = await exported(from, now);
  const { counts, reports } = await imported(text, carryInto(to), now);
  assert.deepEqual([counts, reports], [{ ...NOTHING, imported: 1 }, []]);
  assert.deepEqual(await contents(to), await contents(from));
});

test('export and import leave out expired and deleted tokens', async () => {
  const [from, to] = [await memoryStore(), await memoryStore()];
  const discovery = new Discovery(from, DEFAULT_POLICY);
  const [short, long, deleted] = [token(), token(), token()];
  await discovery.createToken(create(short, ttl(HOUR)));
  await discovery.createToken(create(long, ttl(10 * HOUR)));
  await discovery.createToken(create(deleted, ttl(10 * HOUR)));
  await discovery.deleteToken(deleted);
  const soon = Date.now() + 2 * HOUR;
  assert.deepEqual((await exported(from, soon)).counts, {
    exported: 1,
    members: 0,
    expired: 1,
    deleted: 1,
    closed: 0,
    damaged: 0,
  });
  const { counts } = await imported((await exported(from)).text, carryInto(to), soon);
  assert.deepEqual(counts, { ...NOTHING, imported: 1, expired: 1 });
  assert.equal((await to.read(short)).cluster, undefined);
});

test('an import that fails after any number of writes is completed by the next one, without duplicates', async () => {
  const from = await memoryStore();
  await fill(from, random, 12);
  const { text, counts } = await exported(from);
  const writes = counts.exported + counts.members;
  for (let failAfter = 0; failAfter <= writes; failAfter++) {
    const to = await memoryStore();
    let left = failAfter;
    const failing: Pick<Store, 'write'> = {
      write: async (...given) => {
        if (left === 0) throw new DiscoveryError('STORE_UNAVAILABLE', 'planted');
        left -= 1;
        return to.write(...given);
      },
    };
    // The last step of each cluster reads the store without a change.
    await assert.rejects(imported(text, carryInto(failing)), /planted/);
    const again = await imported(text, carryInto(to));
    assert.equal(again.counts.imported + again.counts.there, counts.exported);
    assert.deepEqual(again.reports, []);
    assert.deepEqual(await contents(to), await contents(from));
    assert.equal((await to.read(token('none'))).revision, BigInt(writes), 'each change was written once');
    const third = await imported(text, carryInto(to));
    assert.deepEqual(third.counts, { ...NOTHING, there: counts.exported });
  }
});

const CONFLICTS: ReadonlyArray<
  [what: string, why: RegExp, make: (there: Discovery, t: Token) => Promise<unknown>]
> = [
  ['another size', /has size 5, not 3/, (there, t) => there.createToken(create(t, size(5)))],
  ['other times', /was created at a different time/, (there, t) => there.createToken(create(t))],
  ['another rule', /allow_rejoin/, (there, t) => there.createToken(create(t, { allowRejoin: true }))],
];

for (const [what, why, make] of CONFLICTS) {
  test(`an existing token with ${what} is a conflict, is reported with its line, and stays unchanged`, async () => {
    const [from, to] = [await memoryStore(), await memoryStore()];
    const [t, other] = [token('a'), token('b')];
    const source = new Discovery(from, DEFAULT_POLICY, () => millis(Date.now() - 1000));
    await source.createToken(create(t));
    await source.createToken(create(other));
    await source.register(t, node(1));
    await make(new Discovery(to, DEFAULT_POLICY), t);
    const before = await to.read(t);
    const { text } = await exported(from);
    for (const carry of [lookInto(to), carryInto(to)]) {
      const { counts, reports } = await imported(text, carry);
      assert.equal(counts.conflicts, 1);
      assert.equal(reports.length, 1);
      assert.match(reports[0] ?? '', /^line 2: conflict: /);
      assert.match(reports[0] ?? '', why);
      assert.deepEqual((await to.read(t)).cluster, before.cluster);
    }
    assert.notEqual((await to.read(other)).cluster, undefined);
  });
}

test('changed, removed or deleted members are conflicts; later members are not', async () => {
  const from = await memoryStore();
  const t = token();
  const source = new Discovery(from, DEFAULT_POLICY);
  await source.createToken(create(t));
  for (const n of [1, 2]) await source.register(t, node(n));
  const { text } = await exported(from);
  const after = async (change: (there: Discovery) => Promise<unknown>): Promise<[ImportCounts, string?]> => {
    const to = await memoryStore();
    await imported(text, carryInto(to));
    await change(new Discovery(to, DEFAULT_POLICY));
    const before = (await to.read(t)).cluster;
    const { counts, reports } = await imported(text, carryInto(to));
    assert.deepEqual((await to.read(t)).cluster, before);
    return [counts, ...reports] as [ImportCounts, string?];
  };
  const since = await after((there) => there.register(t, node(3)));
  assert.deepEqual(since, [{ ...NOTHING, there: 1 }]);
  const gone = await after((there) => there.deregister(t, memberId('id1'), undefined));
  assert.match(gone[1] ?? '', /has a different member at rank 1;/);
  const replaced = await after((there) =>
    there.register(t, node(2, { mode: 'REPLACE', peerUrls: node(9).peerUrls })),
  );
  assert.match(replaced[1] ?? '', /has a different member at rank 2;/);
  const deleted = await after((there) => there.deleteToken(t));
  assert.match(deleted[1] ?? '', /was deleted;/);
});

test('a dry run reports what the import then does, and changes nothing', async () => {
  const [from, to] = [await memoryStore(), await memoryStore()];
  await fill(from, random, 20);
  const { text } = await exported(from);
  const lines = text.split('\n');
  await imported([...lines.slice(0, 8), '{"end":true,"clusters":7}'].join('\n'), carryInto(to));
  const before = await contents(to);
  const dry = await imported(text, lookInto(to));
  assert.deepEqual(await contents(to), before);
  assert.deepEqual(dry, await imported(text, carryInto(to)));
  assert.equal(dry.counts.there, 7);
  assert.deepEqual((await imported(text, lookInto(undefined))).counts.imported, 20);
});

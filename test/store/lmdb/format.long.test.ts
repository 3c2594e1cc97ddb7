import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Database } from 'lmdb';
import { apply, type Change, type Event } from '../../../src/discovery/change.ts';
import { endTime } from '../../../src/discovery/cluster.ts';
import { decideCreate } from '../../../src/discovery/decide-create.ts';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { PHASES } from '../../../src/discovery/newest.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { type Cluster, type ClusterSize, millis, revision } from '../../../src/discovery/types.ts';
import { type ExportCounts, exportLines } from '../../../src/moving/export.ts';
import { encodeCluster, encodeEvent } from '../../../src/store/lmdb/codec.ts';
import { openDatabases, openEnvironment } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run } from '../../support/child.ts';
import { allEvents, expectRefusal } from '../laws/subject.ts';
import { create, memberId, node, token } from '../support/commands.ts';
import { readWhole } from '../support/verify.ts';

// Data in format 1, as version 0.1.0 wrote it: five tokens created on 31 January 2026. Never regenerate it: it is what
// operators have on their disks.
const RECORDED = fileURLToPath(new URL('../../../../test/golden/embedded-format-1.mdb.gz', import.meta.url));
/** The current format, recorded by record-format.ts, and formats 3 to 5. */
const RECORDED_6 = new URL('../../../../test/golden/embedded-format-6.mdb.gz', import.meta.url);
const RECORDED_5 = new URL('../../../../test/golden/embedded-format-5.mdb.gz', import.meta.url);
const RECORDED_4 = new URL('../../../../test/golden/embedded-format-4.mdb.gz', import.meta.url);
const RECORDED_3 = new URL('../../../../test/golden/embedded-format-3.mdb.gz', import.meta.url);
const MADE = Date.parse('2026-01-31T12:00:00Z');

function unpack(t: TestContext, file: string | URL = RECORDED): string {
  const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, 'data');
  mkdirSync(path);
  writeFileSync(join(path, 'data.mdb'), gunzipSync(readFileSync(file)));
  return path;
}

test('data of format 1 opens with all its contents, and accepts writes', async (t) => {
  const path = unpack(t);
  const { code, stdout } = await run(['check', '--data-dir', path]);
  assert.equal(code, 0);
  assert.equal(stdout, '5 tokens with 4 members and 9 events, up to revision 14: no problems found\n');
  const before = await readWhole(path);
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const { cluster } = await store.read(token('assembling'));
  assert.deepEqual(
    [cluster?.size, cluster?.description, cluster?.createTime, cluster?.allowRejoin],
    [3, 'a cluster', MADE, false],
  );
  assert.deepEqual(
    cluster?.members.map(({ id, name, peerUrls, registerTime }) => [
      id,
      name,
      ...peerUrls,
      registerTime - MADE,
    ]),
    [
      ['id2', 'infra2', 'http://10.0.0.2:2380', 1000],
      ['id1', 'infra1', 'http://10.0.0.1:2380', 'https://[::1]:2380', 2000],
    ],
  );
  for (const [name, types] of [
    ['complete', ['REGISTERED', 'REGISTERED', 'REPLACED']],
    ['left', ['REGISTERED', 'DEREGISTERED']],
    ['deleted', ['REGISTERED', 'TOKEN_DELETED']],
    ['expired', []],
  ] as const) {
    const events = await allEvents(store, token(name), 0, 10);
    assert.deepEqual(
      events.map(({ type }) => type),
      types,
    );
  }
  assert.notEqual((await store.read(token('deleted'))).cluster?.deleteTime, undefined);
  const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(MADE + 10_000));
  const registered = await discovery.register(token('assembling'), node(3));
  assert.equal(registered.revision, revision(before.revision + 1n));
  await store.close();
  const after = await readWhole(path);
  assert.equal(after.clusters.get(token('assembling'))?.cluster.members.length, 3);
  const raised = await openDatabases(path);
  assert.equal(raised.meta.get('formatVersion'), 6, 'a program of format 1 must not open it any more');
  await raised.env.close();
  await raised.claim.close();
  const members = (when: typeof before) => when.clusters.get(token('complete'))?.cluster.members;
  assert.deepEqual(members(after), members(before));
});

for (const [format, file] of [
  [3, RECORDED_3],
  [4, RECORDED_4],
  [5, RECORDED_5],
  [6, RECORDED_6],
] as const) {
  test(`data of format ${format} opens with its cuts, secrets and formed clusters`, async (t) => {
    const path = unpack(t, file);
    const { code, stdout } = await run(['check', '--data-dir', path]);
    assert.deepEqual(
      [code, stdout],
      [0, '3 tokens with 4 members and 9 events, up to revision 12: no problems found\n'],
    );
    const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
    const facts = async (name: string): Promise<unknown[]> => {
      const { cluster } = await store.read(token(name));
      return [
        cluster?.members.length,
        cluster?.cutRevision,
        cluster?.formed,
        Object.keys(cluster?.locks ?? {}),
        cluster?.changeBytes,
      ];
    };
    // A hundred bytes for each change, plus the id, and the name and the URL twice each, of each member in it.
    assert.deepEqual(await facts('cut'), [2, 5n, undefined, [], 830]);
    assert.deepEqual(await facts('guarded'), [2, undefined, undefined, ['JOIN'], 310]);
    assert.deepEqual(await facts('ended'), [0, undefined, true, [], 310]);
    const phases = PHASES.map(async (phase) =>
      (await store.newest(phase, undefined, 10)).map((each) => each.token),
    );
    assert.deepEqual(await Promise.all(phases), [['cut'], ['guarded'], ['ended']]);
    await store.close();
    assert.equal((await run(['check', '--data-dir', path])).code, 0);
  });
}

test('what formats 1 and 2 keep in events only is in the records after the first start', async (t) => {
  const path = unpack(t);
  await writeOld(path);
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const cluster = async (name: string): Promise<Cluster | undefined> =>
    (await store.read(token(name))).cluster;
  assert.equal((await cluster('cut'))?.cutRevision, 22n);
  assert.equal((await cluster('compacted'))?.cutRevision, 40n, 'any of the dropped changes may be a cut');
  assert.equal((await cluster('standby'))?.cutRevision, undefined);
  for (const name of ['cut', 'compacted', 'standby']) assert.equal((await cluster(name))?.formed, undefined);
  // It was complete and lost a member: a new member in its place would not belong to the running cluster.
  assert.equal((await cluster('lost'))?.formed, true);
  const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(MADE + 10_000));
  const lost = token('lost');
  for (const call of [
    () => discovery.register(lost, node(3)),
    () => discovery.listMembers(lost),
    () => discovery.deregister(lost, memberId('id2'), undefined),
    () => discovery.watch(lost, undefined, new AbortController().signal).next(),
  ]) {
    await expectRefusal('CLUSTER_FORMED', call());
  }
  assert.equal((await discovery.getCluster(lost)).cluster.members.length, 1);
  const counts: ExportCounts = { exported: 0, members: 0, expired: 0, deleted: 0, closed: 0, damaged: 0 };
  const lines: string[] = [];
  for await (const line of exportLines(store, millis(MADE + 10_000), counts, () =>
    assert.fail('nothing is damaged'),
  ))
    lines.push(line);
  assert.equal(counts.closed, 1);
  assert.ok(!lines.some((line) => line.includes('"lost"')));
  await discovery.deleteToken(lost);
  await store.close();
});

/** Writes records of format 2: without checksums, links, marks and cuts, and without whether the cluster formed. */
async function writeOld(path: string): Promise<void> {
  const env = openEnvironment(path, 'WRITE');
  const [meta, clusters] = ['meta', 'clusters'].map((name) => env.openDB<unknown, string>(name, {})) as [
    Database<unknown, string>,
    Database<unknown, string>,
  ];
  const [events, ends] = [
    env.openDB<unknown, [string, number]>('events', {}),
    env.openDB<unknown, [number, string]>('ends', {}),
  ];
  const put = (
    name: string,
    size: number,
    first: number,
    done: readonly string[],
    compactRevision = 0,
  ): void => {
    const t = token(name);
    const made = create(t, { size: size as ClusterSize });
    let at = first;
    const log: Event[] = [];
    let now = apply(
      undefined,
      { ...decideCreate(undefined, made, millis(MADE)) } as Change,
      revision(at),
    ).cluster;
    for (const step of done) {
      const [sign, number] = [step[0], Number(step.slice(1))];
      const { id, name: own, peerUrls } = node(number);
      at += 1;
      const change: Change =
        sign === '+'
          ? { type: 'REGISTERED', time: millis(MADE), member: { id, name: own, peerUrls } }
          : { type: 'DEREGISTERED', time: millis(MADE), id };
      const applied = apply(now, change, revision(at));
      now = applied.cluster;
      log.push(applied.event as Event);
    }
    const { cutRevision: _, formed: __, ...cluster } = now;
    const held = log.filter((event) => event.revision > compactRevision);
    void clusters.put(
      t,
      encodeCluster({ cluster: { ...cluster, changeCount: held.length }, compactRevision }),
    );
    for (const event of held) {
      const [linked, ...rest] = encodeEvent(event, revision(0)) as [[type: number, link: number]];
      void events.put([t, Number(event.revision)], [linked[0], ...rest]);
    }
    void ends.put([endTime(cluster), t], true);
  };
  await env.transaction(() => {
    put('cut', 3, 20, ['+1', '-1', '+2']);
    put('lost', 2, 30, ['+1', '+2', '-1']);
    put('compacted', 4, 37, ['+1', '-1', '+2', '+3'], 40);
    put('standby', 1, 50, ['+1', '+2', '-2']);
    void meta.put('revision', 100);
    void meta.put('formatVersion', 2);
  });
  await env.close();
}

for (const [what, version, pattern] of [
  ['of a newer format', 7, /a newer etcd-discovery .*\(format 7, .* 6\)/],
  [
    'whose format is older than that of its records',
    4,
    /is damaged: its records do not match its format version/,
  ],
  ['of an unknown format', 'x', /is damaged: its format is unknown/],
] as const) {
  test(`data ${what} is rejected by every command, and by restore as a backup`, async (t) => {
    const path = unpack(t);
    const data = await openDatabases(path);
    await data.meta.put('formatVersion', version);
    await data.env.close();
    await data.claim.close();
    const file = join(path, 'data.mdb');
    for (const args of [
      ['serve', '--addr', '127.0.0.1:0', '--data-dir', path],
      ['export', '--dry-run', '--data-dir', path],
      ['check', '--data-dir', path],
      ['backup', `${path}.backup`, '--data-dir', path],
      ['restore', file, '--data-dir', `${path}.new`],
    ]) {
      const { code, stdout, stderr } = await run(args);
      assert.deepEqual([code, stdout.includes('"serving"')], [1, false]);
      assert.match(stderr, pattern);
      assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
    }
  });
}

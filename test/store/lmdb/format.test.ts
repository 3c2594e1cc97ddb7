import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { millis, revision } from '../../../src/discovery/types.ts';
import { openDatabases } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run } from '../../support/child.ts';
import { allEvents } from '../laws/subject.ts';
import { node, token } from '../support/commands.ts';
import { readWhole } from '../support/verify.ts';

// Data as version 0.1.0 wrote it, in format 1: five tokens made on 31 January 2026. Never written anew: it is what
// operators have on their disks.
const RECORDED = fileURLToPath(new URL('../../../../test/golden/embedded-format-1.mdb.gz', import.meta.url));
const MADE = Date.parse('2026-01-31T12:00:00Z');

function recorded(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, 'data');
  mkdirSync(path);
  writeFileSync(join(path, 'data.mdb'), gunzipSync(readFileSync(RECORDED)));
  return path;
}

test('data of format 1 is opened with everything in it, and is written on', async (t) => {
  const path = recorded(t);
  const { code, stdout } = await run(['check', '--data-dir', path]);
  assert.equal(code, 0);
  assert.equal(stdout, '5 tokens with 4 members and 9 events, up to revision 14: all is well\n');
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
  assert.equal(raised.meta.get('formatVersion'), 2, 'a program of format 1 must not open it any more');
  await raised.env.close();
  await raised.claim.close();
  assert.deepEqual(after.clusters.get(token('complete')), before.clusters.get(token('complete')));
});

for (const [what, version, words] of [
  ['of a newer format', 3, /was written by a newer etcd-discovery \(format 3, and this one reads 2\)/],
  ['of a format that is none', 'x', /is damaged: its format is not known/],
] as const) {
  test(`data ${what} is refused by every command, and by restore as a backup`, async (t) => {
    const path = recorded(t);
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
      assert.match(stderr, words);
      assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
    }
  });
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import { openEtcdStore } from '../../src/store/etcd/store.ts';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { etcdsUnderTest } from '../etcd/harness/versions.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { run } from '../support/child.ts';
import { contents, fill } from './clusters.ts';

const random = new Random(seedOfRun());

async function contentsOf(opening: Promise<Store>): Promise<unknown[]> {
  const store = await opening;
  try {
    return await contents(store);
  } finally {
    await store.close();
  }
}

for (const [label, etcd] of await etcdsUnderTest()) {
  const skip = etcd.missing ?? false;
  if (skip !== false) console.log(`skipped: ${skip}`);
  test(`${label}: tokens of an embedded store move into etcd and back unchanged`, {
    skip,
  }, async (t) => {
    if (etcd.missing !== undefined) return;
    const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    const { endpoints } = await BackingEtcd.start(await Scene.open(t), { etcd, members: 1 });
    const [from, there, file, back] = ['from', 'there', 'file', 'back'].map((name) => join(home, name)) as [
      string,
      string,
      string,
      string,
    ];
    const embedded = (path: string): Promise<Store> => openLmdbStore({ path, policy: DEFAULT_POLICY });
    const store = await embedded(from);
    await fill(store, random, 60);
    await store.close();
    const before = await contentsOf(embedded(from));
    const isRefused = async (): Promise<void> => {
      const { code, stdout, stderr } = await run(['export', file, '--etcd', endpoints]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /etcd has no tokens under the prefix \/_etcd\/registry; .*--etcd-prefix\n$/);
    };
    await isRefused();
    const moves: Array<[string[], RegExp]> = [
      [['export', there, '--data-dir', from], /^exported: 60 tokens/],
      [['import', there, '--etcd', endpoints, '--dry-run'], /^would import: 60 tokens/],
      [['import', there, '--etcd', endpoints], /^imported: 60 tokens/],
      [['import', there, '--etcd', endpoints], /^unchanged, already imported: 60$/m],
      [['export', file, '--etcd', endpoints], /^exported: 60 tokens/],
      [['import', file, '--data-dir', back], /^imported: 60 tokens/],
    ];
    for (const [args, said] of moves) {
      const { code, stdout, stderr } = await run(args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, said);
      // A dry run does not change etcd.
      if (args.includes('--dry-run')) await isRefused();
    }
    const inEtcd = openEtcdStore({
      endpoints: [endpoints],
      prefix: '/_etcd/registry',
      policy: DEFAULT_POLICY,
    });
    assert.deepEqual(await contentsOf(inEtcd), before);
    assert.deepEqual(await contentsOf(embedded(back)), before);
  });
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../src/discovery/store.ts';
import type { Cluster, Token } from '../../../src/discovery/types.ts';
import { create, node, token } from '../support/commands.ts';
import type { Subject } from './subject.ts';

export function listLaws({ start }: Subject): void {
  describe('the list of clusters', () => {
    test('has each cluster once, as a read returns it, in byte order of the tokens, in pages of any size', async () => {
      const { discovery, store } = await start();
      assert.deepEqual(await store.list(undefined, 10), []);
      const tokens = [
        'a',
        'a-',
        'a.',
        'a0',
        'aB',
        'aa',
        'a~',
        'A',
        'Z',
        '0',
        '~',
        '-',
        '.x',
        'b'.repeat(128),
      ].map(token);
      for (const [i, t] of tokens.entries()) {
        await discovery.createToken(create(t));
        for (let n = 0; n < i % 4; n++) await discovery.register(t, node(n));
      }
      const [deleted] = tokens as [Token];
      await discovery.deleteToken(deleted);
      const expected: Cluster[] = [];
      for (const t of [...tokens].sort()) expected.push((await store.read(t)).cluster as Cluster);
      for (const limit of [1, 3, tokens.length, 100]) assert.deepEqual(await listAll(store, limit), expected);
    });

    test('starts after any token, existing or not', async () => {
      const { discovery, store } = await start();
      for (const t of ['b', 'd']) await discovery.createToken(create(token(t)));
      const after = async (t: string): Promise<string[]> =>
        (await store.list(token(t), 10)).map((cluster) => cluster.token);
      assert.deepEqual(await after('a'), ['b', 'd']);
      assert.deepEqual(await after('b'), ['d']);
      assert.deepEqual(await after('c'), ['d']);
      assert.deepEqual(await after('d'), []);
      assert.deepEqual(await after('~'), []);
    });
  });
}

async function listAll(store: Store, limit: number): Promise<Cluster[]> {
  const found: Cluster[] = [];
  for (;;) {
    const part = await store.list(found.at(-1)?.token, limit);
    assert.ok(part.length <= limit);
    if (part.length === 0) return found;
    found.push(...part);
  }
}

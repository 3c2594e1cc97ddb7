import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, create, node, size, token } from '../support/commands.ts';
import { expectRefusal, type Subject } from './subject.ts';

export function revisionsLaws({ start, newPlace, reopen }: Subject): void {
  describe('revisions', () => {
    test('grow with each change of any token, and with nothing else', async () => {
      const { discovery, store } = await start();
      const [a, b] = [token(), token()];
      const seen: bigint[] = [];
      for (const t of [a, b]) seen.push((await discovery.createToken(create(t))).revision);
      for (const t of [a, b, a, b]) {
        seen.push((await discovery.register(t, node(seen.length))).revision);
      }
      await expectRefusal(
        'CLUSTER_FULL',
        (async () => {
          seen.push((await discovery.register(a, node(20))).revision);
          await discovery.register(a, node(21));
        })(),
      );
      assert.equal((await discovery.register(b, node(3))).outcome, 'UNCHANGED');
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((x, y) => Number(x - y)),
      );
      assert.equal((await store.read(token())).revision, seen.at(-1));
      assert.equal(await store.revision(), seen.at(-1));
    });

    test('never decrease or repeat, across restarts and after their token was swept', async () => {
      const place = newPlace();
      let { discovery, store } = await reopen(place);
      const t = token();
      let last = 0n;
      for (let life = 0; life < 3; life++) {
        const made = await discovery.createToken(create(t));
        assert.ok(made.revision > last);
        const member = await discovery.register(t, node(1));
        assert.ok(member.revision > made.revision);
        last = (await discovery.deleteToken(t)).revision;
        assert.equal(await store.sweep(at(Date.now() + 1), 10), 1);
        for (const restart of [false, true]) {
          if (restart) ({ discovery, store } = await reopen(place));
          const view = await store.read(t);
          assert.equal(view.cluster, undefined);
          assert.ok(view.revision >= last);
          last = view.revision;
        }
      }
    });

    test('differ between concurrent changes of one token', async () => {
      const { discovery } = await start();
      const tokens = Array.from({ length: 30 }, () => token());
      await Promise.all(tokens.map((t) => discovery.createToken(create(t, size(10)))));
      const all = tokens.map((t) =>
        Promise.all(Array.from({ length: 10 }, (_, i) => discovery.register(t, node(i)))),
      );
      for (const registered of await Promise.all(all)) {
        assert.equal(new Set(registered.map((each) => each.revision)).size, 10);
        for (const { cluster, revision } of registered) assert.equal(cluster.modRevision, revision);
      }
    });
  });
}

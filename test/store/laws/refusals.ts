import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Token } from '../../../src/discovery/types.ts';
import { at, create, memberId, token } from '../support/commands.ts';
import { refusal, rejections, type Subject } from './subject.ts';

export function refusalsLaws({ start }: Subject): void {
  describe('a refusal', () => {
    test('changes nothing and carries the revision at which it was made', async () => {
      const { discovery, store } = await start();
      const t = token();
      const { revision: made } = await discovery.createToken(create(t));
      const before = await store.read(t);
      const refused = await refusal(
        'MEMBER_NOT_FOUND',
        discovery.deregister(t, memberId('nobody'), undefined),
      );
      assert.equal(refused.facts.revision, made);
      assert.deepEqual(await store.read(t), before);
      assert.equal((await refusal('TOKEN_NOT_FOUND', discovery.getCluster(token()))).facts.revision, made);
    });

    test('of a decision that fails hits its own write alone', async () => {
      const { store, discovery } = await start();
      const t = token();
      const results = await Promise.allSettled([
        store.write(token(), () => {
          throw new TypeError('a bug in a rule');
        }),
        discovery.createToken(create(t)),
        store.write(token(), () => undefined as never).catch((error: unknown) => error),
      ]);
      assert.equal(rejections(results)[0]?.reason, 'INTERNAL');
      assert.equal((await store.read(t)).cluster?.token, t);
    });

    test('of one token too many is told, until the sweep has made room', async () => {
      const { discovery, store } = await start({ maxTokens: 3 });
      const tokens = [token(), token(), token()];
      const results = await Promise.allSettled(
        [...tokens, token(), token()].map((t) => discovery.createToken(create(t))),
      );
      assert.deepEqual(
        rejections(results).map((each) => each.reason),
        ['TOO_MANY_TOKENS', 'TOO_MANY_TOKENS'],
      );
      const [first] = tokens as [Token];
      assert.equal((await discovery.createToken(create(first))).changed, false, 'a repeat needs no room');
      await discovery.deleteToken(first);
      await refusal('TOO_MANY_TOKENS', discovery.createToken(create(token())));
      assert.equal(await store.sweep(at(Date.now() + 1), 10), 1);
      await discovery.createToken(create(token()));
    });
  });
}

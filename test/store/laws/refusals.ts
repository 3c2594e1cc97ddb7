import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DiscoveryError, Reason } from '../../../src/discovery/errors.ts';
import type { Token } from '../../../src/discovery/types.ts';
import { waitFor } from '../../support/wait.ts';
import { at, create, HOUR, memberId, node, size, token, ttl } from '../support/commands.ts';
import { expectRefusal, rejections, type Subject } from './subject.ts';

export function refusalsLaws({ start, newPlace, reopen }: Subject): void {
  describe('a rejected call', () => {
    test('changes nothing, and carries the revision at which it was rejected', async () => {
      const { discovery, store } = await start();
      const t = token();
      const { revision: made } = await discovery.createToken(create(t));
      const before = await store.read(t);
      const refused = await expectRefusal(
        'MEMBER_NOT_FOUND',
        discovery.deregister(t, memberId('nobody'), undefined),
      );
      assert.equal(refused.facts.revision, made);
      assert.deepEqual(await store.read(t), before);
      assert.equal(
        (await expectRefusal('TOKEN_NOT_FOUND', discovery.getCluster(token()))).facts.revision,
        made,
      );
    });

    test('whose decision throws does not affect other writes', async () => {
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

    test('a token above the limit is rejected until a sweep makes room', async () => {
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
      await expectRefusal('TOO_MANY_TOKENS', discovery.createToken(create(token())));
      assert.equal(await store.sweep(at(Date.now() + 1), 10), 1);
      await discovery.createToken(create(token()));
    });

    test('bytes above the limit are rejected: first those of new tokens, later all except deletions', async () => {
      const place = newPlace();
      const policy = { maxBytes: 20_000 };
      let { discovery, store } = await reopen(place, policy);
      const tokens: Token[] = [];
      const make = async (): Promise<void> => {
        const t = token();
        await discovery.createToken(create(t, size(100)));
        tokens.push(t);
      };
      const untilRefused = async (reason: Reason, call: () => Promise<unknown>): Promise<void> => {
        for (let i = 0; i < 500; i++) {
          const refused = await call().then(
            () => undefined,
            (thrown: DiscoveryError) => thrown,
          );
          if (refused !== undefined) return assert.equal(refused.reason, reason, refused.message);
        }
        assert.fail(`never ${reason}`);
      };
      await untilRefused('TOO_MANY_TOKENS', make);
      assert.ok(tokens.length > 5);
      const [first, second] = tokens as [Token, Token];
      await discovery.register(first, node(1));
      ({ discovery, store } = await reopen(place, policy));
      // Some stores have to count first.
      await waitFor('new tokens to be rejected', () =>
        make().then(
          () => false,
          () => true,
        ),
      );
      let joined = 1;
      await untilRefused('STORE_UNAVAILABLE', () => discovery.register(first, node((joined += 1))));
      assert.ok(joined > 3, 'there was room for its members');
      await expectRefusal('STORE_UNAVAILABLE', discovery.reopenToken(second, ttl(HOUR).ttl));
      assert.equal((await discovery.register(first, node(1))).outcome, 'UNCHANGED');
      await discovery.deleteToken(second);
      await store.sweep(at(Date.now() + 2 * HOUR), 1000);
      await waitFor('new tokens to be accepted', () =>
        make().then(
          () => true,
          () => false,
        ),
      );
    });
  });
}

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { authorize, type Caller, hashSecret, issueSecret } from '../../src/discovery/access.ts';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { type Description, revision } from '../../src/discovery/types.ts';
import { create, memberId, node, token, ttl } from '../store/support/commands.ts';
import { memoryPlace } from '../store/support/place.ts';

test('secrets have 192 random bits', () => {
  const issued = Array.from({ length: 1000 }, issueSecret);
  assert.equal(new Set(issued).size, issued.length);
  for (const secret of issued) assert.equal(Buffer.from(secret, 'base64url').length, 24);
});

test('hashes are compared in constant time', (t) => {
  const compared: string[][] = [];
  const real = crypto.timingSafeEqual;
  t.mock.method(crypto, 'timingSafeEqual', (a: Buffer, b: Buffer) => {
    compared.push([a.toString(), b.toString()]);
    return real(a, b);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.reset();
    syncBuiltinESMExports();
  });
  const [right, wrong] = [issueSecret(), issueSecret()].map(hashSecret);
  assert.ok(right !== undefined && wrong !== undefined);
  const caller = { mayCreate: false, mayUse: false };
  const locks = { READ: right };
  authorize(locks, 'READ', { ...caller, proof: right });
  assert.throws(() => authorize(locks, 'READ', { ...caller, proof: wrong }), { reason: 'FORBIDDEN' });
  assert.deepEqual(compared, [
    [right, right],
    [right, wrong],
  ]);
});

test('an unauthorized caller learns nothing of the cluster from the error', async () => {
  const discovery = new Discovery(await memoryPlace().open(DEFAULT_POLICY), DEFAULT_POLICY);
  const { signal } = new AbortController();
  const [guarded, open] = [token(), token()];
  const description = 'a plan of ours' as Description;
  await discovery.createToken(create(guarded, { description, locks: { READ: hashSecret(issueSecret()) } }));
  await discovery.createToken(create(open, { description }));
  const stranger: Caller = { mayCreate: false, mayUse: false };
  const guesser: Caller = { ...stranger, proof: hashSecret(issueSecret()) };
  for (const [t, caller] of [
    [guarded, stranger],
    [guarded, guesser],
    [open, stranger],
  ] as const) {
    for (const call of [
      () => discovery.getCluster(t, caller),
      () => discovery.listMembers(t, caller),
      () => discovery.register(t, node(1), caller),
      () => discovery.deregister(t, memberId('id1'), undefined, caller),
      () => discovery.reopenToken(t, ttl(60_000).ttl, caller),
      () => discovery.deleteToken(t, caller),
      () => discovery.watch(t, undefined, signal, caller).next(),
      () => discovery.watch(t, revision(1), signal, caller).next(),
    ]) {
      const refused = await call().then(
        () => assert.fail(`${call.toString()} was allowed`),
        (thrown: unknown) => thrown,
      );
      assert.ok(refused instanceof DiscoveryError);
      assert.match(refused.reason, /^(UNAUTHENTICATED|FORBIDDEN)$/);
      assert.deepEqual(Object.keys(refused.facts), ['revision'], call.toString());
      assert.doesNotMatch(refused.message, /plan/);
    }
  }
});

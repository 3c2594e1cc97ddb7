import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { admit, hashSecret, issueSecret } from '../../src/discovery/access.ts';

test('secrets have 192 random bits', () => {
  const issued = Array.from({ length: 1000 }, issueSecret);
  assert.equal(new Set(issued).size, issued.length);
  for (const secret of issued) assert.equal(Buffer.from(secret, 'base64url').length, 24);
});

test('hashes are compared in a time that tells nothing of them', (t) => {
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
  admit(locks, 'READ', { ...caller, proof: right });
  assert.throws(() => admit(locks, 'READ', { ...caller, proof: wrong }), { reason: 'FORBIDDEN' });
  assert.deepEqual(compared, [
    [right, right],
    [right, wrong],
  ]);
});

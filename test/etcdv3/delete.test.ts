import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { bytes, infraValue, memberKey, plain, sizeKey, tokenPrefix } from './etcd.ts';
import { startStack } from './stack.ts';

test('a deleted token is reported as deleted although there is no room for a watch', async (t) => {
  const value = { reason: ErrorReason.TOO_MANY_REQUESTS };
  const stack = await startStack({
    client: (real) => ({
      ...real,
      watchMembers() {
        const details = [{ desc: ErrorDetailSchema, value }];
        throw new ConnectError('too many', Code.ResourceExhausted, undefined, details);
      },
    }),
  });
  t.after(() => stack.close());
  const { kv } = stack.etcd;
  await kv.put({ key: sizeKey('t'), value: bytes('3') });
  await kv.put({ key: memberKey('t', 'a'), value: infraValue(1) });
  const { kvs } = await kv.range(tokenPrefix('t'));
  const { deleted, prevKvs } = await kv.deleteRange({ ...tokenPrefix('t'), prevKv: true });
  assert.equal(deleted, 2n);
  assert.deepEqual(prevKvs.map(plain), kvs.map(plain));
});

test('a member that disappears during its deletion is reported at its own revision or later', async (t) => {
  let isFirst = true;
  const stack = await startStack({
    client: (real) => ({
      ...real,
      async deregister(request) {
        // Another client is faster.
        if (isFirst) await real.deregister(request);
        isFirst = false;
        return real.deregister(request);
      },
    }),
  });
  t.after(() => stack.close());
  const { kv } = stack.etcd;
  await kv.put({ key: sizeKey('t'), value: bytes('3') });
  await kv.put({ key: memberKey('t', 'a'), value: infraValue(1) });
  const { deleted, header } = await kv.deleteRange({ key: memberKey('t', 'a') });
  assert.equal(deleted, 0n);
  const { header: now } = await kv.range(tokenPrefix('t'));
  assert.equal(header?.revision, now?.revision);
});

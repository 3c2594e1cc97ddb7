import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { bytes, infra, memberKey, plain, sizeKey, tokenPrefix } from './etcd.ts';
import { startStack } from './stack.ts';

test('a token that was deleted is answered as deleted where there is no room for a watch', async (t) => {
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
  await kv.put({ key: memberKey('t', 'a'), value: infra(1) });
  const { kvs } = await kv.range(tokenPrefix('t'));
  const { deleted, prevKvs } = await kv.deleteRange({ ...tokenPrefix('t'), prevKv: true });
  assert.equal(deleted, 2n);
  assert.deepEqual(prevKvs.map(plain), kvs.map(plain));
});

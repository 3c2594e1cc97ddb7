import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import {
  Compare_CompareResult as Result,
  Compare_CompareTarget as What,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { bytes, memberKey } from './etcd.ts';
import { startStack } from './stack.ts';

test('a transaction with an uncertain write is not reported as a failed comparison', async (t) => {
  const value = create(ErrorDetailSchema, { reason: ErrorReason.STORE_UNAVAILABLE });
  const stack = await startStack({
    client: (real) => ({
      ...real,
      async register(request, options) {
        await real.register(request, options);
        throw new ConnectError('no response', Code.Unavailable, undefined, [
          { desc: ErrorDetailSchema, value },
        ]);
      },
    }),
  });
  t.after(() => stack.close());
  await stack.client.createToken({ token: 't', size: 3 });
  const key = memberKey('t', 'm1');
  const putting = stack.etcd.kv.txn({
    compare: [
      { key, target: What.CREATE, result: Result.EQUAL, targetUnion: { case: 'createRevision', value: 0n } },
    ],
    success: [{ request: { case: 'requestPut', value: { key, value: bytes('n1=http://10.0.0.1:1') } } }],
  });
  await assert.rejects(putting, { code: Code.Unavailable, rawMessage: 'no response' });
  assert.deepEqual(stack.defects, []);
});

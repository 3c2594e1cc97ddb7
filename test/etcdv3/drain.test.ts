import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Watch, type WatchRequest, WatchRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { startService } from '../support/service.ts';

test('a stream without a watch learns that the service stops', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  const client = createClient(Watch, createGrpcTransport({ baseUrl: service.url }));
  let close = (): void => {};
  async function* requests(): AsyncGenerator<WatchRequest> {
    // Its response shows that the stream is open: a key under no token is rejected.
    yield create(WatchRequestSchema, {
      requestUnion: { case: 'createRequest', value: { key: Buffer.from('elsewhere') } },
    });
    await new Promise<void>((resolve) => {
      close = resolve;
    });
  }
  const answers = client.watch(requests())[Symbol.asyncIterator]();
  const first = await answers.next();
  assert.ok(first.done !== true && first.value.canceled);
  const stopped = service.stop();
  const ended = await answers.next().then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown),
  );
  close();
  assert.equal(ended?.code, Code.Unavailable);
  await stopped;
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createContextValues, type HandlerContext } from '@connectrpc/connect';
import { WatchMembersRequestSchema, type WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { startService } from '../support/service.ts';

test('an error thrown into a watch while it yields an item is not reported as a defect', async (t) => {
  const running = await startService();
  t.after(() => running.stop());
  const { client, discovery } = running;
  await client.createToken({ token: 't', size: 3 });
  const defects: unknown[] = [];
  const service = discoveryService(discovery, (defect) => defects.push(defect));
  const context = { signal: new AbortController().signal, values: createContextValues() } as HandlerContext;
  const request = create(WatchMembersRequestSchema, { token: 't' });
  const watch = service.watchMembers(request, context) as AsyncGenerator<WatchMembersResponse>;
  await watch.next();
  const gone = new Error('the connection was reset');
  await assert.rejects(watch.throw(gone), gone);
  assert.deepEqual(defects, []);
  assert.equal(discovery.watchers(), 0);
});

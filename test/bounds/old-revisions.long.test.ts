import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBinary } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { RegisterMode, WatchMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient, refusalOf } from '../../src/client/node.ts';
import { BoundedService } from './support/bounded.ts';
import { largest } from './support/filling.ts';

const MOST_BYTES = 4_000_000;
const WATCHES = 30;

test('the changes of a token are bounded in bytes, when stored and when many clients read all of them', async (t) => {
  const service = await BoundedService.start();
  t.after(() => service.remove());
  const client = createDiscoveryClient(service.url);
  const { cluster, revision } = await client.createToken({ size: 2 });
  const token = cluster?.token ?? '';
  const member = { token, memberId: 'a', mode: RegisterMode.CREATE_OR_REPLACE };
  let worn: unknown;
  for (let i = 0; worn === undefined; i++) {
    worn = await client.register({ ...member, ...largest(i) }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  }
  assert.equal(refusalOf(worn)?.reason, ErrorReason.TOKEN_WORN_OUT);
  const last = (await client.getCluster({ token })).cluster?.modRevision;
  const readAll = async (): Promise<number> => {
    const stop = new AbortController();
    let bytes = 0;
    try {
      for await (const message of client.watchMembers(
        { token, afterRevision: revision },
        { signal: stop.signal },
      )) {
        bytes += toBinary(WatchMembersResponseSchema, message).length;
        if (message.update.case === 'event' && message.update.value.revision === last) break;
      }
    } finally {
      stop.abort();
    }
    return bytes;
  };
  const bytes = await readAll();
  assert.ok(bytes > 500_000 && bytes < MOST_BYTES, `${bytes} bytes`);
  await service.servesDuring(() => Promise.all(Array.from({ length: WATCHES }, readAll)));
  // Waits with made-up secrets keep nothing of their own.
  const abort = new AbortController();
  const waits = Array.from({ length: 200 }, (_, i) =>
    fetch(`${service.url}/${token}:secret${i}/x?wait=true&waitIndex=${revision}`, {
      signal: abort.signal,
    }).catch(() => undefined),
  );
  await service.servesDuring(() => Promise.all(waits));
  await service.assertWell();
  abort.abort();
});

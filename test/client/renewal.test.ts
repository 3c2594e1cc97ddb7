import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import { DiscoveryService, ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import { type WatchConnection, watchCluster } from '../../src/client/index.ts';
import { waitFor } from '../support/wait.ts';

test('a stream that says nothing for minutes is begun again from where it was, without a word', async () => {
  const asked: Array<bigint | undefined> = [];
  const transport = createRouterTransport(({ service }) => {
    service(DiscoveryService, {
      async *watchMembers({ afterRevision }, { signal }) {
        asked.push(afterRevision);
        const list = create(ListMembersResponseSchema, { revision: 7n });
        yield afterRevision === undefined
          ? { update: { case: 'snapshot', value: list } }
          : { update: { case: 'started', value: { revision: 7n } } };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
  });
  const connections: WatchConnection[] = [];
  const abort = new AbortController();
  // The clock of the client alone: `waitFor` has taken its own before.
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const watched = watchCluster(createClient(DiscoveryService, transport), 'a', {
      signal: abort.signal,
      onConnection: (connection) => connections.push(connection),
    });
    assert.equal((await watched.next()).value?.revision, 7n);
    const next = watched.next();
    for (const turns of [2, 3]) {
      mock.timers.tick(5 * 60_000);
      await waitFor('the stream to be begun again', () => asked.length === turns);
    }
    abort.abort(new Error('enough'));
    await assert.rejects(next, /enough/);
  } finally {
    mock.timers.reset();
  }
  assert.deepEqual(asked, [undefined, 7n, 7n]);
  assert.deepEqual(connections, [{ type: 'connected' }]);
});

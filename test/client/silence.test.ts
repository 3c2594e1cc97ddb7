import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import {
  DiscoveryService,
  WatchMembersResponseSchema,
  WatchSnapshotSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { type WatchConnection, watchCluster } from '../../src/client/index.ts';
import { waitFor } from '../support/wait.ts';

const HEARTBEATS_MS = 45_000;
const HEARTBEAT = create(WatchMembersResponseSchema, { update: { case: 'heartbeat', value: {} } });

test('heartbeats keep a stream open, and the client resumes one that falls silent', async () => {
  const asked: Array<bigint | undefined> = [];
  let beat = (): void => {};
  let beats = 0;
  const transport = createRouterTransport(({ service }) => {
    service(DiscoveryService, {
      async *watchMembers({ afterRevision }, { signal }) {
        asked.push(afterRevision);
        const list = create(WatchSnapshotSchema, { revision: 7n });
        yield afterRevision === undefined
          ? { update: { case: 'snapshot', value: list } }
          : { update: { case: 'started', value: { revision: 7n } } };
        while (!signal.aborted) {
          await new Promise<void>((resolve) => {
            beat = resolve;
            signal.addEventListener('abort', () => resolve());
          });
          beats += 1;
          yield HEARTBEAT;
        }
      },
    });
  });
  const connections: Array<WatchConnection['type']> = [];
  const abort = new AbortController();
  // Only the client's clock: `waitFor` has captured the real one.
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const watched = watchCluster(createClient(DiscoveryService, transport), 'a', {
      signal: abort.signal,
      onConnection: ({ type }) => connections.push(type),
    });
    assert.equal((await watched.next()).value?.revision, 7n);
    const next = watched.next();
    for (let i = 1; i <= 20; i++) {
      mock.timers.tick(HEARTBEATS_MS);
      beat();
      await waitFor('the heartbeat to be sent', () => beats === i);
      // The client receives it within a few turns of the event loop.
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    }
    assert.deepEqual([asked.length, ...connections], [1, 'connected']);
    mock.timers.tick(3 * HEARTBEATS_MS);
    await waitFor('the client to notice the silence', () => connections.includes('lost'));
    await waitFor('the stream to restart', () => {
      mock.timers.tick(1000);
      return asked.length === 2;
    });
    await waitFor('the client to report it', () => connections.length === 3);
    abort.abort(new Error('enough'));
    await assert.rejects(next, /enough/);
  } finally {
    mock.timers.reset();
  }
  assert.deepEqual(asked, [undefined, 7n]);
  assert.deepEqual(connections, ['connected', 'lost', 'connected']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegisterMode } from '../../gen/discovery/v1/service_pb.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { waitFor } from '../support/wait.ts';
import { connect, membersPrefix, WatchSession } from './etcd.ts';
import { startStack } from './stack.ts';

// Buffers between the two ends take 550 of them with Node.js 20, 1100 with 22 and 24; 4096 are held.
const CHANGES = 3000;

test('a client that stops reading holds its watch back, and misses nothing', async (t) => {
  // How many changes the service has handed to each watch, in the order of their beginnings.
  const handed: number[] = [];
  const counting = (real: LocalClient): LocalClient => ({
    ...real,
    async *watchMembers(request, options) {
      const watch = handed.push(0) - 1;
      for await (const message of real.watchMembers(request, options)) {
        if (message.update.case === 'event') handed[watch] = (handed[watch] ?? 0) + 1;
        yield message;
      }
    },
  });
  const stack = await startStack({ client: counting });
  t.after(() => stack.close());
  const token = 't';
  await stack.client.createToken({ token, size: 2 });
  const change = (i: number): Promise<unknown> =>
    stack.client.register({
      token,
      memberId: 'm',
      // 1 KB each, so that 3 MB go beyond the buffers between the two ends.
      name: 'n'.repeat(60),
      peerUrls: Array.from({ length: 14 }, (_, k) => `http://10.0.${k}.1:${i + 1}`),
      mode: i === 0 ? RegisterMode.CREATE : RegisterMode.REPLACE,
    });
  await change(0);

  const still = new WatchSession(connect(stack.url).watch);
  const reading = new WatchSession(connect(stack.url).watch);
  t.after(() => {
    still.stop();
    reading.stop();
  });
  await still.started(membersPrefix(token));
  await reading.started(membersPrefix(token));
  for (let i = 1; i <= CHANGES; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => change(i + k)));
  }
  // Progress is asked for over and over, which must not pile up either.
  for (let i = 0; i < 1000; i++) still.progress();
  const events = await reading.events(CHANGES);
  assert.equal(handed[1], CHANGES);
  assert.ok((handed[0] ?? 0) < CHANGES / 2, `${handed[0]} of ${CHANGES} changes were taken for nobody`);

  const seen: bigint[] = [];
  while (seen.length < CHANGES) {
    const answer = await still.next();
    const revision = answer.header?.revision ?? 0n;
    if (answer.events.length === 0) {
      assert.equal(answer.watchId, -1n);
      assert.equal(seen.at(-1), revision, 'progress is told after all that it is about');
    }
    for (const { kv } of answer.events) seen.push(kv?.modRevision ?? 0n);
  }
  assert.deepEqual(
    seen,
    events.map(({ kv }) => kv?.modRevision),
  );
  still.stop();
  reading.stop();
  await waitFor('the watches to be gone', () => stack.discovery.watchers() === 0);
  assert.deepEqual(stack.defects, []);
});

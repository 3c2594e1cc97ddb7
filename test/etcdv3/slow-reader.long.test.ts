import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegisterMode } from '../../gen/discovery/v1/service_pb.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { waitFor } from '../support/wait.ts';
import { connect, membersPrefix, WatchSession } from './etcd.ts';
import { startStack } from './stack.ts';

// The buffers between both ends hold 550 changes with Node.js 20, and 1100 with 22 and 24. A token may have 2 MiB of
// changes, counting old and new values.
const CHANGES = 3000;
const TOKENS = ['t', 'u', 'v', 'w', 'x', 'y'];

test('a client that stops reading pauses its watches, and misses nothing', async (t) => {
  // The number of changes that the service has passed to each watch, in the order of their start.
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
  for (const token of TOKENS) await stack.client.createToken({ token, size: 2 });
  const change = (token: string, i: number): Promise<unknown> =>
    stack.client.register({
      token,
      memberId: 'm',
      // 1 KB each, so that 3 MB exceed the buffers between both ends.
      name: 'n'.repeat(60),
      peerUrls: Array.from({ length: 14 }, (_, k) => `http://10.0.${k}.1:${i + 1}`),
      mode: i === 0 ? RegisterMode.CREATE : RegisterMode.REPLACE,
    });
  for (const token of TOKENS) await change(token, 0);

  const still = new WatchSession(connect(stack.url).watch);
  const reading = new WatchSession(connect(stack.url).watch);
  t.after(() => {
    still.stop();
    reading.stop();
  });
  for (const watcher of [still, reading]) {
    for (const token of TOKENS) await watcher.started(membersPrefix(token));
  }
  for (let i = 1; i <= CHANGES / TOKENS.length; i += 50) {
    await Promise.all(TOKENS.flatMap((token) => Array.from({ length: 50 }, (_, k) => change(token, i + k))));
  }
  // Repeated progress requests must not pile up either.
  for (let i = 0; i < 1000; i++) still.progress();
  const events = await reading.events(CHANGES);
  const [forStill, forReading] = [sum(handed.slice(0, TOKENS.length)), sum(handed.slice(TOKENS.length))];
  assert.equal(forReading, CHANGES);
  assert.ok(forStill < CHANGES / 2, `${forStill} of ${CHANGES} changes were read for a stalled client`);

  const seen: bigint[] = [];
  while (seen.length < CHANGES) {
    const answer = await still.next();
    const revision = answer.header?.revision ?? 0n;
    if (answer.events.length === 0) {
      assert.equal(answer.watchId, -1n);
      const latest = seen.reduce((one, other) => (one > other ? one : other));
      assert.equal(latest, revision, 'progress is reported after the events that it covers');
    }
    for (const { kv } of answer.events) seen.push(kv?.modRevision ?? 0n);
  }
  const inOrder = (revisions: readonly bigint[]) => revisions.toSorted((one, other) => Number(one - other));
  assert.deepEqual(inOrder(seen), inOrder(events.map(({ kv }) => kv?.modRevision ?? 0n)));
  still.stop();
  reading.stop();
  await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  assert.deepEqual(stack.defects, []);
});

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

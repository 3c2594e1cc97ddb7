import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import { waitFor } from '../support/wait.ts';
import { infraValue, memberKey, membersPrefix, WatchSession } from './etcd.ts';
import { startStack } from './stack.ts';

test('a watch of an expired token resumes when it is reopened, and misses nothing', async (t) => {
  const stack = await startStack({ expiredPauseMs: 5, policy: { minTtl: 1 } });
  t.after(() => stack.close());
  const { client, etcd } = stack;
  const token = 'late';
  await client.createToken({ token, size: 3, ttl: { seconds: 0n, nanos: 1e6 } });
  const stream = new WatchSession(etcd.watch);
  t.after(() => stream.stop());
  await stream.started(membersPrefix(token));
  const [said] = await stream.events(1);
  assert.match(Buffer.from(said?.kv?.value ?? []).toString(), /^the token expired/);
  await client.reopenToken({ token, ttl: { seconds: 3600n, nanos: 0 } });
  await etcd.kv.put({ key: memberKey(token, 'a'), value: infraValue(1) });
  const [registered] = await stream.events(1);
  assert.deepEqual(registered?.kv?.value, infraValue(1));
  assert.ok((registered?.kv?.modRevision ?? 0n) > (said?.kv?.modRevision ?? 0n), 'a client resumes after it');
  stream.stop();
  await waitFor('the watches to end', () => stack.discovery.watchers() === 0);
  assert.deepEqual(stack.defects, []);
});

test('changes while an expired token was reopened are delivered, although it has expired again', async (t) => {
  const looks: Array<() => void> = [];
  let areHeld = false;
  const stack = await startStack({
    expiredPauseMs: 1,
    policy: { minTtl: 1 },
    client: (real) => ({
      ...real,
      // A held check waits until the token was reopened and has expired again.
      async getCluster(request) {
        const { cluster } = await real.getCluster(request);
        if (areHeld && cluster?.state === ClusterState.EXPIRED)
          await new Promise<void>((resolve) => {
            looks.push(resolve);
          });
        return real.getCluster(request);
      },
    }),
  });
  t.after(() => stack.close());
  const { client, etcd } = stack;
  const token = 'late';
  await client.createToken({ token, size: 3, ttl: { seconds: 0n, nanos: 1e6 } });
  const stream = new WatchSession(etcd.watch);
  t.after(() => stream.stop());
  await stream.started(membersPrefix(token));
  await stream.events(1);
  areHeld = true;
  await waitFor('a look', () => looks.length > 0);
  await client.reopenToken({ token, ttl: { seconds: 3600n, nanos: 0 } });
  await etcd.kv.put({ key: memberKey(token, 'a'), value: infraValue(1) });
  await client.reopenToken({ token, ttl: { seconds: 0n, nanos: 1e6 } });
  await waitFor('the token to expire again', async () => {
    const { cluster } = await client.getCluster({ token });
    return cluster?.state === ClusterState.EXPIRED;
  });
  looks[0]?.();
  const [registered, said] = await stream.events(2);
  assert.deepEqual(registered?.kv?.value, infraValue(1));
  assert.match(Buffer.from(said?.kv?.value ?? []).toString(), /^the token expired/);
  // The next check finds nothing new.
  await waitFor('another check', () => looks.length > 1);
  looks[1]?.();
  await waitFor('one more check', () => looks.length > 2);
  assert.deepEqual(stack.defects, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { infra, memberKey, membersPrefix, WatchSession } from './etcd.ts';
import { startStack } from './stack.ts';

test('a watch whose token expired goes on when it is reopened, and misses nothing', async (t) => {
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
  await etcd.kv.put({ key: memberKey(token, 'a'), value: infra(1) });
  const [registered] = await stream.events(1);
  assert.deepEqual(registered?.kv?.value, infra(1));
  assert.ok((registered?.kv?.modRevision ?? 0n) > (said?.kv?.modRevision ?? 0n), 'a client resumes after it');
  stream.stop();
  await waitFor('the watches to be gone', () => stack.discovery.watchers() === 0);
  assert.deepEqual(stack.defects, []);
});

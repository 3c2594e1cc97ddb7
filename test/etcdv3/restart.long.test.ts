import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpawnedService } from '../support/child.ts';
import { bytes, connect, infraValue, memberKey, sizeKey, text, tokenPrefix, WatchSession } from './etcd.ts';

test('a watch that resumes after restarts of the service receives every event once', async (t) => {
  let service = await SpawnedService.start();
  t.after(() => service.remove());
  const token = 'resumed';
  const made = await connect(service.url).kv.put({ key: sizeKey(token), value: bytes('100') });
  const seen: string[] = [];
  let next = made.header?.revision ?? 0n;
  let joined = 0;
  const signals = ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGTERM'] as const;
  for (const signal of signals) {
    const { kv, watch } = connect(service.url);
    const session = new WatchSession(watch);
    session.create({ ...tokenPrefix(token), startRevision: next });
    const watching = (async () => {
      for (;;) {
        for (const event of (await session.next()).events) {
          seen.push(text(event.kv?.key ?? bytes('')));
          next = (event.kv?.modRevision ?? 0n) + 1n;
        }
      }
    })();
    // However the stream fails, the client resumes after the last event that it received.
    const failed = assert.rejects(watching);
    for (let i = 0; i < 10; i++) {
      joined += 1;
      await kv.put({ key: memberKey(token, `m${joined}`), value: infraValue(joined) });
    }
    const ending = service.end(signal);
    await failed;
    session.stop();
    await ending;
    service = await service.again();
  }
  const session = new WatchSession(connect(service.url).watch);
  t.after(() => session.stop());
  await session.started({ ...tokenPrefix(token), startRevision: next });
  const expected = 1 + signals.length * 10;
  for (const { kv } of await session.events(expected - seen.length)) seen.push(text(kv?.key ?? bytes('')));
  assert.deepEqual(seen, [
    text(sizeKey(token)),
    ...Array.from({ length: joined }, (_, i) => text(memberKey(token, `m${i + 1}`))),
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PortHandler } from '../../src/port/port.ts';
import { waitFor } from '../support/wait.ts';
import { assertServes } from './support/alive.ts';
import { FLAG, GET, HELLO, headers, PREFACE } from './support/frames.ts';
import { openPlainPort } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const POLL = 'GET /wait HTTP/1.1\r\nHost: a\r\n\r\n';
const upload = GET.map(([name, value]) => [name, name === ':method' ? 'POST' : value] as const);
const poll = GET.map(([name, value]) => [name, name === ':path' ? '/wait' : value] as const);

/** Bytes that a client sends before it disconnects. */
const ABUSES: ReadonlyArray<string | Uint8Array> = [
  '',
  PREFACE.subarray(0, 12),
  'GET /health HTTP/1.1\r\nHost:',
  'junk\r\n\r\n',
  'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc',
  POLL,
  POLL.repeat(10),
  `${POLL}junk\r\n\r\n`,
  'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
  HELLO,
  Buffer.concat([HELLO, Buffer.from([0, 0, 20])]),
  Buffer.concat([HELLO, headers(1, upload, FLAG.END_HEADERS)]),
  Buffer.concat([HELLO, ...[1, 3, 5, 7, 9].map((stream) => headers(stream, poll))]),
];
const AT_ONCE = 200;
const CONNECTIONS = 2000;

test('two thousand connections that end badly leave nothing behind', async (t) => {
  let waiting = 0;
  const handler: PortHandler = async (request, response) => {
    if (request.url === '/wait') {
      waiting += 1;
      response.once('close', () => {
        waiting -= 1;
      });
      return;
    }
    if (request.url === '/body') for await (const _ of request);
    response.end(request.url === '/large' ? Buffer.alloc(1_000_000) : '');
  };
  // With the real timeouts: closed connections must not be kept until one of them.
  const port = await openPlainPort(handler, {});
  t.after(() => port.drain(0));
  const abuse = async (): Promise<void> => {
    for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
      const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => RawClient.connect(port.port)));
      clients.forEach((client, index) => {
        client.stopReading();
        client.send(ABUSES[index % ABUSES.length] ?? '');
      });
      await assertServes(port.port);
      // Half of them close normally, half by a reset.
      clients.forEach((client, index) => (index % 2 === 0 ? client.destroy() : client.reset()));
      await waitFor('every connection to close', () => port.connections() === 0);
    }
    await waitFor('every long poll to close', () => waiting === 0);
  };

  // Run once before the measurement, so that caches are filled.
  await abuse();
  const before = usedHeapBytes();
  await abuse();
  // Some memory is released a turn or two of the event loop after its connection.
  let grown = 0;
  await waitFor('the heap to shrink to its earlier size', () => {
    grown = usedHeapBytes() - before;
    return grown < CONNECTIONS * 500;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: it grew by ${Math.round(grown / CONNECTIONS)} bytes per connection`);
  });
  assert.deepEqual(port.logged, []);
});

function usedHeapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

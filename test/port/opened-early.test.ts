import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { handleRow, openPlainPort, SHORT } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const LIMITS = { ...SHORT, sniffTimeout: 200, headersTimeout: 200, keepAliveTimeout: 30_000 };
/** Longer than all of these but the last. */
const LATER_MS = 600;

const port = await openPlainPort(handleRow, LIMITS);
after(() => port.drain(0));

test('a client may open a connection long before its first request', async () => {
  const client = await RawClient.connect(port.port);
  await sleep(LATER_MS);
  client.send('GET /later HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until('the response', (heard) => heard.includes('GET /later at a'));
  client.destroy();
});

test('a client that has begun to send must say its protocol soon', async () => {
  const client = await RawClient.connect(port.port);
  await sleep(LATER_MS);
  assert.equal(client.end, 'open');
  client.send('PRI * HTTP');
  await client.untilClosed();
  client.destroy();
});

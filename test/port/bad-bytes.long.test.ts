import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { retryIfStalled } from '../support/retry-if-stalled.ts';
import { waitFor } from '../support/wait.ts';
import { HTTP1_ROWS } from './rows-http1.ts';
import { FLOOD_ROWS, HTTP2_ROWS } from './rows-http2.ts';
import { assertServes } from './support/alive.ts';
import { handleRow, openPlainPort, PAUSE_MS, type PlainPort, SHORT } from './support/plain.ts';
import { runHttp1Row, runHttp2Row } from './support/run-row.ts';

// process.long.test.ts sends the same rows to the real process.
let port: PlainPort;
before(async () => {
  // A flooding client's ping response comes after everything that it sent before.
  port = await openPlainPort(handleRow, { ...SHORT, pingTimeout: 4000 });
});
after(() => port.drain(0));

// Concurrent, because many rows wait for a timeout.
const side = { concurrency: 8 };

describe('HTTP/1', side, () => {
  for (const row of HTTP1_ROWS) {
    const attempt = async (): Promise<void> => {
      await runHttp1Row(port.port, row);
      await assertServes(port.port);
    };
    test(row.name, () => retryIfStalled(PAUSE_MS, attempt));
  }
});

describe('HTTP/2', side, () => {
  for (const row of HTTP2_ROWS) {
    const attempt = async (): Promise<void> => {
      await runHttp2Row(port.port, row);
      await assertServes(port.port);
    };
    test(row.name, () => retryIfStalled(PAUSE_MS, attempt));
  }
});

test('the rows leave no connection open', async () => {
  await waitFor('every connection to close', () => port.connections() === 0);
});

test('a client that disconnects is not logged, and floods are logged once', () => {
  assert.deepEqual(
    port.logged.map(({ level, text }) => `${level}: ${text}`),
    ['warn: closed the connection of a flooding client; similar warnings are suppressed for a minute'],
  );
});

test('a flooding client gets the reason, unless its own flood prevents it', async () => {
  assert.ok(FLOOD_ROWS.length > 5);
  for (const row of FLOOD_ROWS) {
    await waitFor(`the reason for ${row.name}`, async () => (await runHttp2Row(port.port, row)) !== '');
  }
});

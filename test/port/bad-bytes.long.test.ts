import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { unlessHeldUp } from '../support/held-up.ts';
import { waitFor } from '../support/wait.ts';
import { HTTP1_ROWS } from './rows-http1.ts';
import { FLOOD_ROWS, HTTP2_ROWS } from './rows-http2.ts';
import { assertServes } from './support/alive.ts';
import { handleRow, openPlainPort, PAUSE_MS, type PlainPort, SHORT } from './support/plain.ts';
import { runHttp1Row, runHttp2Row } from './support/run-row.ts';

// The same rows are sent to the real process in process.test.ts.
let port: PlainPort;
before(async () => {
  // A flooding client's answer to a ping comes behind all that it has sent before.
  port = await openPlainPort(handleRow, { ...SHORT, pingTimeout: 4000 });
});
after(() => port.drain(0));

// Many rows wait for a time-out.
const side = { concurrency: 8 };

describe('HTTP/1', side, () => {
  for (const row of HTTP1_ROWS) {
    const attempt = async (): Promise<void> => {
      await runHttp1Row(port.port, row);
      await assertServes(port.port);
    };
    test(row.name, () => unlessHeldUp(PAUSE_MS, attempt));
  }
});

describe('HTTP/2', side, () => {
  for (const row of HTTP2_ROWS) {
    const attempt = async (): Promise<void> => {
      await runHttp2Row(port.port, row);
      await assertServes(port.port);
    };
    test(row.name, () => unlessHeldUp(PAUSE_MS, attempt));
  }
});

test('nothing is left of them', async () => {
  await waitFor('every connection to be gone', () => port.connections() === 0);
});

test('a client that breaks off is no line in the log, and those that flood are one', () => {
  assert.deepEqual(
    port.logged.map(({ level, text }) => `${level}: ${text}`),
    ['warn: closed the connection of a flooding client; similar warnings are suppressed for a minute'],
  );
});

test('a client that floods is told why, unless its own flood drowns that', async () => {
  assert.ok(FLOOD_ROWS.length > 5);
  for (const row of FLOOD_ROWS) {
    await waitFor(`last words to ${row.name}`, async () => (await runHttp2Row(port.port, row)) !== '');
  }
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SpawnedService } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';
import { HTTP1_ROWS } from './rows-http1.ts';
import { HTTP2_ROWS } from './rows-http2.ts';
import { SERVICE_ROWS } from './rows-service.ts';
import { assertServes } from './support/alive.ts';
import { runHttp1Row, runHttp2Row } from './support/run-row.ts';

// Sends every row of bad bytes to the real process with its real limits. The rows that wait for a timeout run
// concurrently.
const side = { concurrency: 100 };
let service: SpawnedService;
let port: number;

before(async () => {
  service = await SpawnedService.start();
  port = Number(new URL(service.url).port);
});
after(() => service.remove());

describe('bad bytes against the process', side, () => {
  for (const row of HTTP1_ROWS.filter(({ plain }) => !plain)) {
    test(`HTTP/1: ${row.name}`, async () => {
      await runHttp1Row(port, row);
      await assertServes(port);
    });
  }
  for (const row of HTTP2_ROWS.filter(({ plain }) => !plain)) {
    test(`HTTP/2: ${row.name}`, async () => {
      await runHttp2Row(port, row);
      await assertServes(port);
    });
  }
  for (const row of SERVICE_ROWS) {
    test(row.name, async () => {
      assert.equal(await row.ask(port), row.answer);
      await assertServes(port);
    });
  }
});

test('the rows leave no connection open', async () => {
  await waitFor(
    "every connection except the scraper's to close",
    async () => {
      const response = await fetch(`${service.url}/metrics`, { headers: { connection: 'close' } });
      const left = /^\w+_connections (\d+)$/m.exec(await response.text())?.[1];
      return left === '1';
    },
    90_000,
  );
});

test('the process is still the same, logged no error, and exits normally', async () => {
  const { child } = service.command;
  assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
  await assertServes(port);
  const complaints = service.command.log().filter(({ level }) => level === 'error' || level === 'fatal');
  assert.deepEqual(complaints, []);
  assert.deepEqual(await service.end(), { code: 0, signal: null });
});

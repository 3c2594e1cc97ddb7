import assert from 'node:assert/strict';
import { waitFor } from '../../support/wait.ts';
import type { Http1Row } from '../rows-http1.ts';
import type { Http2Row } from '../rows-http2.ts';
import { parseAnswers } from './http1.ts';
import { RawHttp2Client } from './http2.ts';
import { RawClient } from './raw.ts';

// Limits a hang to more than the longest of the port's real timeouts.
const WAIT_MS = 90_000;
const PROOF = 'GET /health HTTP/1.1\r\nHost: proof\r\n\r\n';

/** Sends a row's bytes and checks everything that comes back. */
export async function runHttp1Row(port: number, row: Http1Row): Promise<void> {
  const client = await RawClient.connect(port);
  try {
    const expected = row.next === 'kept' ? [...row.statuses, 200] : row.statuses;
    const heard = (): number => parseAnswers(client.heard).answers.length;
    const sent = typeof row.send === 'function' ? row.send(client) : client.send(row.send);
    if (row.next === 'kept') {
      await waitFor(`${row.statuses.length} responses`, () => heard() >= row.statuses.length, WAIT_MS);
      client.send(PROOF);
      await waitFor('the response to another request', () => heard() >= expected.length, WAIT_MS);
    } else {
      await client.untilClosed(WAIT_MS);
    }
    await sent;
    const { answers, rest } = parseAnswers(client.heard);
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual(statuses, expected, client.heard.toString('latin1').slice(0, 2000));
    assert.equal(rest, '', 'only complete responses come back');
    if (row.says !== undefined) assert.match(answers[row.statuses.length - 1]?.body ?? '', row.says);
  } finally {
    client.destroy();
  }
}

/** Sends a row's frames and checks everything that comes back. Returns the transcript. */
export async function runHttp2Row(port: number, row: Http2Row): Promise<string> {
  const client = await RawHttp2Client.connect(port, row);
  try {
    client.raw.send(row.send);
    if (row.next === 'closed') await client.raw.untilClosed(WAIT_MS);
    else {
      const matches = (): boolean => row.hears.test(client.transcript());
      await waitFor(() => `${row.hears} in ${JSON.stringify(client.transcript())}`, matches, WAIT_MS);
    }
    if (row.next === 'kept') assert.equal(await client.get(99, '/health'), 200);
    const heard = client.transcript().replace(/ ?\b99:200$/, '');
    assert.match(heard, row.hears);
    return heard;
  } finally {
    client.destroy();
  }
}

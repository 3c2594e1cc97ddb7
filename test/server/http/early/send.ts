import assert from 'node:assert/strict';
import { type Http1Response, parseAnswers } from '../../../port/support/http1.ts';
import { RawClient } from '../../../port/support/raw.ts';
import { waitFor } from '../../../support/wait.ts';
import type { EarlyRow } from './rows.ts';

/** How a body is sent: with its headers in one piece, in pieces, or after the response has begun. */
export const DELIVERIES = ['in one piece', 'in pieces', 'late'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** Far less than the 30 s after which a missing body gets a 408. */
const PROMPT_MS = 10_000;
const NEXT = 'GET /livez HTTP/1.1\r\nHost: next\r\n\r\n';
const PIECES = 20;

/**
 * Sends a request and another one after it. Returns the first response; fails unless the second gets one too, or the
 * first closes the connection.
 */
export async function sendTwo(port: number, row: EarlyRow, delivery: Delivery): Promise<Http1Response> {
  const client = await RawClient.connect(port);
  try {
    await deliver(client, row, delivery);
    client.send(NEXT);
    const answers = (): Http1Response[] => parseAnswers(client.heard).answers;
    await waitFor(
      () => `the answer to a second request, after ${JSON.stringify(client.heard.toString('latin1'))}`,
      () => answers().length >= 2 || client.end !== 'open',
      PROMPT_MS,
    );
    const [first, second] = answers();
    assert.ok(first !== undefined, `only ${client.end}`);
    if (second !== undefined) assert.equal(second.status, 200, second.body);
    else assert.equal(first.headers['connection'], 'close', 'it closed without announcing it');
    return first;
  } finally {
    client.destroy();
  }
}

async function deliver(client: RawClient, row: EarlyRow, delivery: Delivery): Promise<void> {
  const { chunked, body } = row;
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const head = Buffer.from(
    [`${row.start} HTTP/1.1`, 'Host: first', ...row.headers, length, '', ''].join('\r\n'),
  );
  const part = (from: number, to: number): Buffer => {
    const bytes = body.subarray(from, to);
    if (!chunked || bytes.length === 0) return bytes;
    return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  };
  const end = chunked ? '0\r\n\r\n' : '';
  if (delivery === 'in one piece') {
    client.send(Buffer.concat([head, part(0, body.length), Buffer.from(end)]));
    return;
  }
  if (delivery === 'late') {
    client.send(Buffer.concat([head, part(0, row.needs)]));
    if (row.needs === body.length) client.send(end);
    await waitFor('an early response', () => client.heard.length > 0, PROMPT_MS);
    if (row.needs < body.length) client.send(Buffer.concat([part(row.needs, body.length), Buffer.from(end)]));
    return;
  }
  client.send(head);
  const size = Math.ceil(body.length / PIECES);
  for (let from = 0; from < body.length; from += size) {
    await new Promise(setImmediate);
    client.send(part(from, from + size));
  }
  client.send(end);
}

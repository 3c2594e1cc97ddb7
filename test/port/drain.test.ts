import assert from 'node:assert/strict';
import { once } from 'node:events';
import { beforeEach, test } from 'node:test';
import type { PortHandler, PortResponse } from '../../src/port/port.ts';
import { waitFor } from '../support/wait.ts';
import { open, openSession, openStream } from './support/clients.ts';
import { GET, HELLO, headers, PREFACE } from './support/frames.ts';
import { parseAnswers } from './support/http1.ts';
import { RawHttp2Client } from './support/http2.ts';
import { openPlainPort, type PlainPort } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
/** Longer than any drain here takes, in ms: a test that reaches it fails. */
const GRACE = 60_000;
/** More than the kernel buffers of a response, in bytes. */
const LARGE = 20_000_000;

let port: PlainPort;
let waiting: PortResponse[];
/** The number of large responses written. */
let large: number;

const handler: PortHandler = (request, response) => {
  if (request.url === '/now' || request.url === '/health') return response.end('now');
  if (request.url === '/large') {
    large += 1;
    response.setHeader('Content-Length', LARGE);
    return response.end(Buffer.alloc(LARGE));
  }
  waiting.push(response);
  if (request.url === '/headers-first') {
    if ('stream' in response) response.stream.respond({ ':status': 200 });
    else response.flushHeaders();
  }
  return undefined;
};

// With the real timeouts: nothing here may depend on them.
beforeEach(async () => {
  [waiting, large] = [[], 0];
  port = await openPlainPort(handler, {});
});

test('a drain without connections ends at once, and a second call returns the same result', async () => {
  const drained = port.drain(GRACE);
  assert.equal(port.drain(0), drained);
  assert.equal(await drained, 'drained');
});

test('a request in transit when the drain begins gets a response', async () => {
  const client = await RawClient.connect(port.port);
  const session = await RawHttp2Client.connect(port.port, { hello: Buffer.alloc(0) });
  await waitFor('both connections to be accepted', () => port.connections() === 2);
  client.send(get('/now'));
  session.raw.send(Buffer.concat([HELLO, headers(1, GET)]));
  const drained = port.drain(GRACE);
  await client.until('the response', () => client.heard.toString().endsWith('now'));
  await session.raw.until('a response', () => session.transcript().includes('1:200'));
  assert.equal(await drained, 'drained');
  session.destroy();
  client.destroy();
});

test('a drain refuses new connections while requests are in progress', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/wait'));
  await waitFor('the poll', () => waiting.length === 1);
  const drained = port.drain(GRACE);
  await assert.rejects(RawClient.connect(port.port), { code: 'ECONNREFUSED' });
  waiting[0]?.end();
  assert.equal(await drained, 'drained');
  client.destroy();
});

test('a drain closes connections without requests at once', async () => {
  const idle = await RawClient.connect(port.port);
  idle.send(get('/now'));
  await idle.until('the response', (heard) => parseAnswers(heard).answers.length === 1);
  const session = openSession(port.port);
  assert.equal((await openStream(session, '/now')).status, 200);
  const silent = await RawClient.connect(port.port);
  const begun = await RawClient.connect(port.port);
  begun.send(PREFACE.subarray(0, 10));
  const halfHeaders = await RawClient.connect(port.port);
  halfHeaders.send('GET /now HTTP/1.1\r\nHost:');
  const halfFrame = await RawClient.connect(port.port);
  halfFrame.send(Buffer.concat([PREFACE, Buffer.from([0, 0])]));
  await waitFor('all connections to be open', () => port.connections() === 6);
  const closing = once(session, 'close');
  assert.equal(await port.drain(GRACE), 'drained');
  await closing;
  for (const client of [idle, silent, begun, halfHeaders, halfFrame]) await client.untilClosed();
  assert.equal(port.connections(), 0);
});

test('requests in progress get responses, with Connection: close over HTTP/1.1 and GOAWAY over HTTP/2', async () => {
  const session = openSession(port.port);
  const http1 = open(port.port, '/wait');
  const http2 = openStream(session, '/wait');
  await waitFor('both', () => waiting.length === 2);
  const goaway = once(session, 'goaway');
  const drained = port.drain(GRACE);
  assert.equal((await goaway)[0], 0);
  for (const response of waiting) response.end('done');
  const answer = await http1;
  assert.deepEqual([answer.status, answer.connection, await answer.body], [200, 'close', 'done']);
  assert.equal(await (await http2).body, 'done');
  assert.equal(await drained, 'drained');
  assert.equal(port.connections(), 0);
});

test('responses that have begun end normally, and then their connections close', async () => {
  const session = openSession(port.port);
  const http1 = await open(port.port, '/headers-first');
  const http2 = await openStream(session, '/headers-first');
  assert.equal(http1.connection, 'keep-alive');
  const drained = port.drain(GRACE);
  for (const response of waiting) response.end('the end');
  assert.equal(await http1.body, 'the end');
  assert.equal(await http2.body, 'the end');
  assert.equal(await drained, 'drained');
});

test('a request during a drain gets a response unless its client already got Connection: close', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/headers-first'));
  await waitFor('the stream', () => waiting.length === 1);
  const drained = port.drain(GRACE);
  client.send(get('/wait'));
  await waitFor('the second request', () => waiting.length === 2);
  // This one comes after the response to the second was marked as the last: the client must retry elsewhere.
  client.send(get('/now'));
  for (const response of waiting) response.end('done');
  await client.untilClosed();
  const { answers } = parseAnswers(client.heard);
  assert.deepEqual(
    answers.map(({ headers, body }) => [headers['connection'], body]),
    [
      ['keep-alive', 'done'],
      ['close', 'done'],
    ],
  );
  assert.equal(await drained, 'drained');
  client.destroy();
});

test('every pipelined request in progress gets a response', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/wait').repeat(3));
  await waitFor('the requests', () => waiting.length === 3);
  const drained = port.drain(GRACE);
  for (const response of waiting.toReversed()) response.end('done');
  await client.untilClosed();
  assert.deepEqual(
    parseAnswers(client.heard).answers.map(({ headers }) => headers['connection']),
    ['keep-alive', 'keep-alive', 'close'],
  );
  assert.equal(await drained, 'drained');
  client.destroy();
});

test('a response in transit arrives complete', async () => {
  const client = await RawClient.connect(port.port);
  client.stopReading();
  client.send(get('/large') + get('/now'));
  await waitFor('the first request', () => large === 1);
  const drained = port.drain(GRACE);
  client.readOn();
  await client.untilClosed();
  const answers = parseAnswers(client.heard).answers.map(({ body }) => body.length);
  assert.deepEqual(answers, [LARGE, 'now'.length]);
  assert.equal(await drained, 'drained');
  client.destroy();
});

test('a drain does not wait for an HTTP/2 client that ignores GOAWAY', async () => {
  const client = await RawClient.connect(port.port);
  client.send(Buffer.concat([PREFACE, Buffer.from('000000040000000000', 'hex')]));
  await client.until('the settings', (heard) => heard.length > 0);
  client.stopReading();
  assert.equal(await port.drain(GRACE), 'drained');
  client.destroy();
});

test('a drain cuts off and reports what outlasts the grace period', async () => {
  const never = await RawClient.connect(port.port);
  never.send(get('/wait'));
  const unread = await RawClient.connect(port.port);
  unread.stopReading();
  unread.send(get('/large'));
  await waitFor('the poll', () => waiting.length === 1);
  assert.equal(await port.drain(300), 'cut');
  await never.untilClosed();
  assert.equal(never.heard.length, 0);
  assert.equal(port.connections(), 0);
  unread.destroy();
});

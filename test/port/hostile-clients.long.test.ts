import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortLimits } from '../../src/port/limits.ts';
import type { PortHandler, PortResponse } from '../../src/port/port.ts';
import { retryIfStalled } from '../support/retry-if-stalled.ts';
import { waitFor } from '../support/wait.ts';
import { assertServes } from './support/alive.ts';
import { open, openSession, openStream } from './support/clients.ts';
import { GET, headers } from './support/frames.ts';
import { parseAnswers } from './support/http1.ts';
import { RawHttp2Client } from './support/http2.ts';
import { openPlainPort, PAUSE_MS, type PlainPort, SHORT } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
/** Longer than every timeout of SHORT, in ms. */
const PAST_EVERY_TIMEOUT = 3000;

let port: PlainPort;
/** Long polls that wait for their response, in order of arrival. */
let waiting: PortResponse[];
/** How many responses have closed, because they ended or their client disconnected. */
let closed: number;
let writtenBytes: number;

const handler: PortHandler = async (request, response) => {
  if (request.url === '/wait' || request.url === '/headers-first') {
    waiting.push(response);
    response.once('close', () => {
      closed += 1;
    });
    if (request.url === '/headers-first') flushHeaders(response);
  } else if (request.url === '/early') {
    response.once('close', () => {
      closed += 1;
    });
    await once(request, 'data');
    request.pause();
    response.end('enough');
  } else if (request.url === '/stream') {
    response.once('close', () => {
      closed += 1;
    });
    await writeWithoutEnd(response);
  } else {
    const delay = Number(/^\/after\/(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
    await sleep(delay);
    response.end(request.url ?? '');
  }
};

function flushHeaders(response: PortResponse): void {
  if ('stream' in response) response.stream.respond({ ':status': 200 });
  else response.flushHeaders();
}

async function writeWithoutEnd(response: Writable): Promise<void> {
  const over = new AbortController();
  response.once('close', () => over.abort());
  while (!over.signal.aborted) {
    writtenBytes += 65_536;
    if (!response.write(Buffer.alloc(65_536))) {
      await once(response, 'drain', { signal: over.signal }).catch(() => {});
    }
  }
}

async function start(limits: Partial<PortLimits> = {}): Promise<void> {
  await port?.drain(0);
  port = await openPlainPort(handler, { ...SHORT, ...limits });
}

function it(name: string, body: () => Promise<void>): void {
  const attempt = async (): Promise<void> => {
    [waiting, closed, writtenBytes] = [[], 0, 0];
    await start();
    await body();
  };
  test(name, () => retryIfStalled(PAUSE_MS, attempt));
}
afterEach(() => port.drain(0));

const allClosed = (): Promise<void> => waitFor('every connection to close', () => port.connections() === 0);

for (const path of ['/wait', '/headers-first']) {
  it(`a long poll outlives every timeout while its client is connected: ${path}`, async () => {
    const session = openSession(port.port);
    const answers = [
      open(port.port, path).then(async ({ status, body }) => [status, await body]),
      openStream(session, path).then(async ({ status, body }) => [status, await body]),
    ];
    await waitFor('both polls', () => waiting.length === 2);
    await sleep(PAST_EVERY_TIMEOUT);
    for (const response of waiting) response.end('at last');
    assert.deepEqual(await Promise.all(answers), [
      [200, 'at last'],
      [200, 'at last'],
    ]);
    session.close();
  });
}

it('a bidirectional stream outlives every timeout although its body never ends', async () => {
  const session = openSession(port.port);
  const stream = session.request({ ':method': 'POST', ':path': '/headers-first' });
  const body = buffer(stream);
  stream.write('a request of many');
  await waitFor('the stream', () => waiting.length === 1);
  await sleep(PAST_EVERY_TIMEOUT);
  stream.end('the last one');
  waiting[0]?.end('answered');
  assert.equal(String(await body), 'answered');
  session.close();
});

it('an idle HTTP/1.1 connection is closed', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/'));
  assert.equal(await client.untilClosed(), 'fin');
  assert.match(client.heard.toString(), /^HTTP\/1\.1 200 OK\r\n/);
  client.destroy();
});

it('empty lines do not keep an idle connection open', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/'));
  while (client.end === 'open') {
    client.send('\r\n');
    await sleep(20);
  }
  client.destroy();
});

it('an idle HTTP/2 connection is closed, but not one with a quiet stream', async () => {
  await start({ idleSessionTimeout: 1000 });
  const [idle, busy] = [openSession(port.port), openSession(port.port)];
  const watch = openStream(busy, '/headers-first');
  await waitFor('the stream', () => waiting.length === 1);
  const [code] = (await once(idle, 'goaway')) as [number];
  assert.equal(code, 0);
  await sleep(PAST_EVERY_TIMEOUT);
  waiting[0]?.end('still here');
  assert.equal(await (await watch).body, 'still here');
  idle.destroy();
  busy.destroy();
});

it('a client that never reads its stream is cut off, and little is written for it', async () => {
  const client = await RawClient.connect(port.port);
  client.stopReading();
  client.send(get('/stream'));
  await waitFor('the response to close', () => closed === 1);
  await allClosed();
  assert.ok(writtenBytes < 16_000_000, `${writtenBytes} bytes were written, more than the kernel buffers`);
  client.destroy();
});

it('an HTTP/2 client that reads nothing is cut off', async () => {
  const client = await RawHttp2Client.connect(port.port, { deaf: true });
  client.raw.stopReading();
  client.raw.send(headers(1, [...GET.filter(([name]) => name !== ':path'), [':path', '/stream']]));
  await waitFor('the response to close', () => closed === 1);
  await allClosed();
  client.destroy();
});

it('a slow reader gets everything', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/stream'));
  const begin = performance.now();
  // Neither idle nor fast, for several times the stall timeout.
  while (performance.now() - begin < PAST_EVERY_TIMEOUT) {
    client.stopReading();
    await sleep(50);
    client.readOn();
    await sleep(5);
  }
  assert.deepEqual([client.end, closed], ['open', 0]);
  client.destroy();
});

it('an HTTP/2 upload that continues after its response is cut off, and its stream closes', async () => {
  const session = openSession(port.port);
  const stream = session.request({ ':method': 'POST', ':path': '/early' });
  stream.on('error', () => {});
  const body = buffer(stream).catch(() => {});
  const over = once(stream, 'close');
  while (!stream.closed) {
    if (stream.write(Buffer.alloc(65_536))) await sleep(1);
    else await Promise.race([once(stream, 'drain'), over]);
  }
  assert.equal(String(await body), 'enough');
  await waitFor('the response to close', () => closed === 1);
  session.close();
  await allClosed();
});

it('pipelined requests get their responses in order', async () => {
  const client = await RawClient.connect(port.port);
  const delays = Array.from({ length: 40 }, (_, index) => (index * 7) % 40);
  client.send(delays.map((delay, index) => get(`/after/${delay}/${index}`)).join(''));
  await client.until('all responses', (heard) => parseAnswers(heard).answers.length === delays.length);
  assert.deepEqual(
    parseAnswers(client.heard).answers.map(({ body }) => body),
    delays.map((delay, index) => `/after/${delay}/${index}`),
  );
  client.destroy();
});

it('every pipelined long poll closes when its client disconnects', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/wait').repeat(20));
  await waitFor('the polls that have begun', () => waiting.length === 8);
  client.reset();
  await waitFor('all of them to close', () => closed === 8);
  await allClosed();
  assert.equal(waiting.length, 8, 'the others were never begun');
});

it('too many pipelined requests without a response close the connection', async () => {
  await start({ pipelined: 5 });
  const client = await RawClient.connect(port.port);
  client.send(get('/wait').repeat(6));
  await client.untilClosed();
  await waitFor('all of them to close', () => closed === 5);
  client.destroy();
});

it('above the connection limit a client gets a 503 with Retry-After, and the log says it once', async () => {
  await start({ connections: 2, refusals: 2, headersTimeout: 60_000, requestTimeout: 60_000 });
  const held = [await RawClient.connect(port.port), await RawClient.connect(port.port)];
  for (const client of held) client.send(get('/wait'));
  await waitFor('both places to be taken', () => waiting.length === 2);
  for (let round = 0; round < 3; round += 1) {
    const refused = await RawClient.connect(port.port);
    refused.send(get('/'));
    await refused.untilClosed();
    const [answer] = parseAnswers(refused.heard).answers;
    assert.equal(answer?.status, 503);
    assert.equal(answer?.headers['retry-after'], '5');
    refused.destroy();
    await waitFor('its place to be free', () => port.connections() === 2);
  }
  const session = openSession(port.port);
  await once(session, 'close');
  assert.deepEqual(
    port.logged.map(({ level, text }) => `${level}: ${text}`),
    ['warn: connection limit reached: new connections get a 503'],
  );
  for (const client of held) client.destroy();
  await allClosed();
  await assertServes(port.port);
});

it('above the request limit a client gets a 503', async () => {
  await start({ requests: 2 });
  const session = openSession(port.port);
  for (const _ of [1, 2]) void openStream(session, '/wait').catch(() => {});
  await waitFor('both places to be taken', () => waiting.length === 2);
  assert.equal((await openStream(session, '/')).status, 503);
  assert.equal((await open(port.port, '/')).status, 503);
  waiting[0]?.end();
  await waitFor('a free place', () => closed === 1);
  assert.equal((await openStream(session, '/')).status, 200);
  session.destroy();
});

it('an HTTP/2 client that does not read responses has no more requests begun until it reads', async () => {
  let begun = 0;
  const answer = Buffer.alloc(200_000);
  const large = await openPlainPort((_, response) => {
    begun += 1;
    response.end(answer);
  }, {});
  const session = connect(`http://127.0.0.1:${large.port}`, { settings: { initialWindowSize: 0 } });
  const streams = Array.from({ length: 100 }, (_, i) => session.request({ ':path': `/${i}` }));
  const bodies = streams.map((stream) => buffer(stream));
  await waitFor('some requests to begin', () => begun > 0);
  // Further requests would begin in the next turns of the event loop.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => session.ping(resolve));
  assert.ok(begun < 40, `${begun} of 100 were begun`);
  session.settings({ initialWindowSize: 1_000_000 });
  for (const body of await Promise.all(bodies)) assert.equal(body.length, answer.length);
  assert.equal(begun, 100);
  session.destroy();
  await large.drain(0);
});

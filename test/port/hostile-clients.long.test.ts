import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortLimits } from '../../src/port/limits.ts';
import type { PortHandler, PortResponse } from '../../src/port/port.ts';
import { unlessHeldUp } from '../support/held-up.ts';
import { waitFor } from '../support/wait.ts';
import { assertServes } from './support/alive.ts';
import { open, openSession, openStream } from './support/clients.ts';
import { GET, headers } from './support/frames.ts';
import { parseAnswers } from './support/http1.ts';
import { RawHttp2Client } from './support/http2.ts';
import { openPlainPort, PAUSE_MS, type PlainPort, SHORT } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
/** Longer than every time-out of SHORT, in ms. */
const PAST_EVERY_TIMEOUT = 3000;

let port: PlainPort;
/** Long polls that wait for their answer, in the order of their coming. */
let waiting: PortResponse[];
/** How many of them were told that their client is gone, or were answered. */
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
  test(name, () => unlessHeldUp(PAUSE_MS, attempt));
}
afterEach(() => port.drain(0));

const gone = (): Promise<void> => waitFor('every connection to be gone', () => port.connections() === 0);

for (const path of ['/wait', '/headers-first']) {
  it(`a long poll outlives every time-out while its client is there: ${path}`, async () => {
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

it('a two-way stream outlives every time-out though its body never ends', async () => {
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

it('an idle HTTP/2 connection is closed, one with a quiet stream is not', async () => {
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
  await waitFor('the handler to be told', () => closed === 1);
  await gone();
  assert.ok(writtenBytes < 16_000_000, `${writtenBytes} bytes were written, more than the kernel buffers`);
  client.destroy();
});

it('an HTTP/2 client that reads nothing at all is cut off', async () => {
  const client = await RawHttp2Client.connect(port.port, { deaf: true });
  client.raw.stopReading();
  client.raw.send(headers(1, [...GET.filter(([name]) => name !== ':path'), [':path', '/stream']]));
  await waitFor('the handler to be told', () => closed === 1);
  await gone();
  client.destroy();
});

it('a client that reads slowly gets everything', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/stream'));
  const begin = performance.now();
  // Never quite idle, never quick: several times the stall time-out.
  while (performance.now() - begin < PAST_EVERY_TIMEOUT) {
    client.stopReading();
    await sleep(50);
    client.readOn();
    await sleep(5);
  }
  assert.deepEqual([client.end, closed], ['open', 0]);
  client.destroy();
});

it('an HTTP/2 upload that goes on after its answer is cut off, and the stream is gone', async () => {
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
  await waitFor('the handler to be told', () => closed === 1);
  session.close();
  await gone();
});

it('pipelined requests are answered in their order', async () => {
  const client = await RawClient.connect(port.port);
  const delays = Array.from({ length: 40 }, (_, index) => (index * 7) % 40);
  client.send(delays.map((delay, index) => get(`/after/${delay}/${index}`)).join(''));
  await client.until('all answers', (heard) => parseAnswers(heard).answers.length === delays.length);
  assert.deepEqual(
    parseAnswers(client.heard).answers.map(({ body }) => body),
    delays.map((delay, index) => `/after/${delay}/${index}`),
  );
  client.destroy();
});

it('every pipelined long poll is told when its client leaves', async () => {
  const client = await RawClient.connect(port.port);
  client.send(get('/wait').repeat(20));
  await waitFor('the polls that are begun', () => waiting.length === 8);
  client.reset();
  await waitFor('all of them to be told', () => closed === 8);
  await gone();
  assert.equal(waiting.length, 8, 'the others were never begun');
});

it('more requests than reason without an answer end the connection', async () => {
  await start({ pipelined: 5 });
  const client = await RawClient.connect(port.port);
  client.send(get('/wait').repeat(6));
  await client.untilClosed();
  await waitFor('all to be told', () => closed === 5);
  client.destroy();
});

it('past the limit of connections a client is told to come back, and the log says it once', async () => {
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
  await gone();
  await assertServes(port.port);
});

it('past the limit of requests a client is told to come back', async () => {
  await start({ requests: 2 });
  const session = openSession(port.port);
  for (const _ of [1, 2]) void openStream(session, '/wait').catch(() => {});
  await waitFor('both places to be taken', () => waiting.length === 2);
  assert.equal((await openStream(session, '/')).status, 503);
  assert.equal((await open(port.port, '/')).status, 503);
  waiting[0]?.end();
  await waitFor('a place to be free', () => closed === 1);
  assert.equal((await openStream(session, '/')).status, 200);
  session.destroy();
});

it('a peer of HTTP/2 that reads no answers has no more of its requests begun until it does', async () => {
  let begun = 0;
  const answer = Buffer.alloc(200_000);
  const large = await openPlainPort((_, response) => {
    begun += 1;
    response.end(answer);
  }, {});
  const session = connect(`http://127.0.0.1:${large.port}`, { settings: { initialWindowSize: 0 } });
  const streams = Array.from({ length: 100 }, (_, i) => session.request({ ':path': `/${i}` }));
  const bodies = streams.map((stream) => buffer(stream));
  await waitFor('requests to be begun', () => begun > 0);
  // Those that are still to come come in the next turns of the event loop.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => session.ping(resolve));
  assert.ok(begun < 40, `${begun} of 100 were begun`);
  session.settings({ initialWindowSize: 1_000_000 });
  for (const body of await Promise.all(bodies)) assert.equal(body.length, answer.length);
  assert.equal(begun, 100);
  session.destroy();
  await large.drain(0);
});

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import type { PortLimits } from '../../src/port/limits.ts';
import { openPort, type Port, type PortHandler, type PortOptions } from '../../src/port/port.ts';
import { PORT_REFUSALS, type PortRefusal } from '../../src/port/refusals.ts';
import { retryIfStalled } from '../support/retry-if-stalled.ts';
import { waitFor } from '../support/wait.ts';
import { IDENTITY } from '../tls/files.ts';
import { cancel, FLAG, frame, GET, HELLO, headers, TYPE } from './support/frames.ts';
import { PAUSE_MS, SHORT } from './support/plain.ts';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
/** A window update by 0, which HTTP/2 forbids. */
const NO_STREAM = frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.alloc(4));

/** Returns a request that is cancelled immediately. */
function cancelledRequest(stream: number): Buffer {
  return Buffer.concat([headers(stream, GET), cancel(stream)]);
}

/** Writes without end to a client that does not read. */
const endless: PortHandler = (request, response) => {
  if (request.url === '/never') return;
  if (request.url !== '/endless') return void response.end('fine');
  const chunk = Buffer.alloc(65_536);
  const more = (): void => {
    while (!response.destroyed && (response as Writable).write(chunk));
  };
  response.on('drain', more);
  more();
};

interface Row {
  readonly what: string;
  readonly why: PortRefusal;
  readonly options?: Partial<PortOptions>;
  readonly limits?: Partial<PortLimits>;
  /** The bytes that each client sends. */
  readonly clients: ReadonlyArray<string | Uint8Array>;
  /** Whether the clients do not read. */
  readonly deaf?: boolean;
}

const ROWS: readonly Row[] = [
  { what: 'bytes that are not HTTP', why: 'malformed', clients: ['hello there\r\n\r\n'] },
  { what: 'a bad Host', why: 'malformed', clients: ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n'] },
  { what: 'a CONNECT request', why: 'malformed', clients: ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'] },
  {
    what: 'bad HTTP/2 frames',
    why: 'malformed',
    clients: [Buffer.concat([HELLO, ...Array.from({ length: 30 }, () => NO_STREAM)])],
  },
  {
    what: 'streams cancelled immediately',
    why: 'flood',
    limits: { hastyBurst: 2 },
    clients: [Buffer.concat([HELLO, ...[1, 3, 5, 7, 9, 11].map((stream) => cancelledRequest(stream))])],
  },
  { what: 'large headers', why: 'headers_too_large', clients: [get('/', `X: ${'x'.repeat(20_000)}\r\n`)] },
  {
    what: 'many headers',
    why: 'headers_too_large',
    clients: [get('/', Array.from({ length: 101 }, (_, i) => `X${i}: 1\r\n`).join(''))],
  },
  { what: 'silence', why: 'slow_sender', clients: [''] },
  { what: 'half of the headers', why: 'slow_sender', clients: ['GET / HTTP/1.1\r\nHost: a\r\n'] },
  {
    what: 'a missing handshake',
    why: 'slow_sender',
    options: { tls: IDENTITY },
    clients: [Buffer.from([22, 3, 1])],
  },
  { what: 'plaintext on a TLS port', why: 'handshake', options: { tls: IDENTITY }, clients: [get('/')] },
  { what: 'an unread response', why: 'slow_reader', clients: [get('/endless')], deaf: true },
  {
    what: 'too much unread response data',
    why: 'unread',
    limits: { unread: 1000 },
    clients: [get('/endless')],
    deaf: true,
  },
  { what: 'unanswered pings', why: 'gone', clients: [HELLO], deaf: true },
  {
    what: 'one connection above the limit',
    why: 'connections',
    limits: { connections: 1 },
    clients: [get('/never'), get('/')],
  },
  {
    what: 'many connections above the limit',
    why: 'connections',
    limits: { connections: 1, refusals: 0 },
    clients: [get('/never'), get('/')],
  },
  {
    what: 'one request above the limit',
    why: 'requests',
    limits: { requests: 1 },
    clients: [get('/never'), get('/')],
  },
  {
    what: 'an endless pipeline',
    why: 'requests',
    limits: { pipelined: 2 },
    clients: [get('/never').repeat(4)],
  },
  {
    what: "one connection above the client's limit",
    why: 'client_connections',
    options: { connect: () => ({ verdict: 'REFUSED', end() {} }) },
    clients: [get('/')],
  },
  {
    what: "many connections above the client's limit",
    why: 'client_connections',
    options: { connect: () => ({ verdict: 'DROPPED', end() {} }) },
    clients: [get('/')],
  },
];

for (const { what, why, options, limits, clients, deaf = false } of ROWS) {
  test(`${what}: the port reports a refusal with reason ${why}`, { timeout: 90_000 }, (t) => {
    const attempt = async (): Promise<void> => {
      const reported: PortRefusal[] = [];
      const port: Port = await openPort({
        host: '127.0.0.1',
        port: 0,
        handler: endless,
        log: { warn() {}, error() {} },
        limits: { ...SHORT, ...limits },
        onRefused: (reason) => reported.push(reason),
        ...options,
      });
      const sockets: Socket[] = [];
      t.after(async () => {
        for (const socket of sockets) socket.destroy();
        await port.drain(0);
      });
      for (const bytes of clients) {
        const socket = connect(port.port, '127.0.0.1').on('error', () => {});
        sockets.push(socket);
        if (deaf) socket.pause();
        else socket.resume();
        if (bytes !== '') socket.write(bytes);
        const before = sockets.length;
        if (before < clients.length) await waitFor('the request', () => port.requests() === before);
      }
      await waitFor(why, () => reported.length > 0);
      assert.deepEqual(reported, [why]);
    };
    return retryIfStalled(PAUSE_MS, attempt);
  });
}

test('every reason has a row above, and valid requests are not refused', async (t) => {
  assert.deepEqual([...new Set(ROWS.map(({ why }) => why))].toSorted(), PORT_REFUSALS.toSorted());
  const reported: PortRefusal[] = [];
  const port = await openPort({
    host: '127.0.0.1',
    port: 0,
    handler: endless,
    log: { warn() {}, error() {} },
    onRefused: (reason) => reported.push(reason),
  });
  t.after(() => port.drain(0));
  const url = `http://127.0.0.1:${port.port}`;
  assert.equal(await (await fetch(url)).text(), 'fine');
  assert.equal((await fetch(url, { method: 'OPTIONS' })).status, 200);
  const options = connect(port.port, '127.0.0.1');
  options.write('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => options.once('data', resolve));
  options.destroy();
  assert.deepEqual(reported, []);
});

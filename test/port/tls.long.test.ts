import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { createServer } from 'node:net';
import type { Writable } from 'node:stream';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { PortLimits } from '../../src/port/limits.ts';
import type { PortHandler, PortResponse } from '../../src/port/port.ts';
import { retryIfStalled } from '../support/retry-if-stalled.ts';
import { waitFor } from '../support/wait.ts';
import { CA, IDENTITY } from '../tls/files.ts';
import { openStream } from './support/clients.ts';
import { frame, GET, HELLO, headers, PREFACE, parseFrames, TYPE } from './support/frames.ts';
import { parseAnswers } from './support/http1.ts';
import { openPlainPort, PAUSE_MS, type PlainPort, SHORT } from './support/plain.ts';
import { RawClient } from './support/raw.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const TRUST: ConnectionOptions = { ca: CA, servername: 'localhost' };
/** Longer than any drain here takes, in ms: a test that reaches it fails. */
const GRACE = 60_000;

let port: PlainPort;
let waiting: PortResponse[];
let closed: number;

const handler: PortHandler = async (request, response) => {
  response.once('close', () => {
    closed += 1;
  });
  if (request.url === '/wait') waiting.push(response);
  else if (request.url === '/stream') await writeWithoutEnd(response);
  else response.end(`HTTP/${request.httpVersion} ${request.url}`);
};

async function writeWithoutEnd(response: Writable): Promise<void> {
  const over = new AbortController();
  response.once('close', () => over.abort());
  while (!over.signal.aborted) {
    if (!response.write(Buffer.alloc(65_536))) {
      await once(response, 'drain', { signal: over.signal }).catch(() => {});
    }
  }
}

async function start(limits: Partial<PortLimits> = {}): Promise<void> {
  await port?.drain(0);
  port = await openPlainPort(handler, { ...SHORT, ...limits }, IDENTITY);
}

function it(name: string, body: () => Promise<void>): void {
  const attempt = async (): Promise<void> => {
    [waiting, closed] = [[], 0];
    await start();
    await body();
  };
  test(name, () => retryIfStalled(PAUSE_MS, attempt));
}
afterEach(() => port.drain(0));

const allClosed = (): Promise<void> => waitFor('every connection to close', () => port.connections() === 0);
const secure = (options: ConnectionOptions = {}): Promise<RawClient> =>
  RawClient.secure(port.port, { ...TRUST, ...options });

function openSecureSession(): ClientHttp2Session {
  const session = connectHttp2(`https://localhost:${port.port}`, { ca: CA });
  session.on('error', () => {});
  return session;
}

/** Sends requests over HTTP/1.1 and HTTP/2, each on its own connection. */
async function assertServes(): Promise<void> {
  const client = await secure();
  client.send(get('/a'));
  await client.until('the response', (heard) => parseAnswers(heard).answers.length === 1);
  assert.equal(parseAnswers(client.heard).answers[0]?.body, 'HTTP/1.1 /a');
  client.destroy();
  const session = openSecureSession();
  const { status, body } = await openStream(session, '/b');
  assert.deepEqual([status, await body, session.alpnProtocol], [200, 'HTTP/2.0 /b', 'h2']);
  session.destroy();
}

/** Returns the first bytes of a TLS client. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connectTls({ ...TRUST, port: address.port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [TLSSocket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

it('HTTP/1.1 and HTTP/2 are served on the same port', assertServes);

// The client's offer, the negotiated protocol, and how its bytes are then read: ALPN decides, not the bytes.
const ALPN: ReadonlyArray<[offered: string[] | undefined, agreed: string | false, h1: RegExp, h2: RegExp]> = [
  [['h2', 'http/1.1'], 'h2', /^goaway$/, /^200$/],
  [['h2'], 'h2', /^goaway$/, /^200$/],
  [['http/1.1', 'h2'], 'h2', /^goaway$/, /^200$/],
  [['http/1.1'], 'http/1.1', /^HTTP\/1.1 200 /, /^HTTP\/1.1 400 /],
  [undefined, false, /^HTTP\/1.1 200 /, /^HTTP\/1.1 400 /],
];
for (const [offered, agreed, http1, http2] of ALPN) {
  it(`a client that offers ${offered?.join(' and ') ?? 'nothing'} gets ${agreed || 'HTTP/1.1'}`, async () => {
    const options = offered === undefined ? {} : { ALPNProtocols: offered };
    const probe = connectTls({ ...TRUST, ...options, port: port.port, host: '127.0.0.1' });
    await once(probe, 'secureConnect');
    assert.equal(probe.alpnProtocol, agreed);
    probe.destroy();
    const says = async (bytes: string | Uint8Array): Promise<string> => {
      const client = await secure(options);
      client.send(bytes);
      await client.until(
        'a response',
        (heard) => /^HTTP[^]*\r\n\r\n/.test(heard.toString()) || kindOf(heard) !== '',
      );
      const answer = kindOf(client.heard) || client.heard.toString();
      client.destroy();
      return answer;
    };
    assert.match(await says(get('/')), http1);
    assert.match(await says(Buffer.concat([HELLO, headers(1, GET)])), http2);
    await allClosed();
  });
}

function kindOf(heard: Buffer): string {
  if (heard.toString('latin1', 0, 4) === 'HTTP') return '';
  const types = parseFrames(heard).map(({ type }) => type);
  if (types.includes(TYPE.HEADERS)) return '200';
  return types.includes(TYPE.GOAWAY) ? 'goaway' : '';
}

it('the port accepts TLS 1.2 and 1.3, and rejects older versions and unknown protocols', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const client = await secure({ minVersion: version, maxVersion: version });
    client.destroy();
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await assert.rejects(secure(old), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  await assert.rejects(secure({ ALPNProtocols: ['spdy/3'] }), {
    code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
  });
  await allClosed();
});

it('TLS 1.2 negotiates only ciphers with authenticated encryption', async () => {
  const tls12 = { ...TRUST, maxVersion: 'TLSv1.2', port: port.port, host: '127.0.0.1' } as const;
  for (const ciphers of ['ECDHE+AESGCM', 'ECDHE+CHACHA20']) {
    const client = connectTls({ ...tls12, ciphers });
    await once(client, 'secureConnect');
    assert.match(client.getCipher().name, /^ECDHE-.*(?:GCM|CHACHA20)/);
    client.destroy();
  }
  // Ciphers with CBC, and ciphers without forward secrecy.
  for (const ciphers of [
    'ECDHE:!AESGCM:!CHACHA20',
    'ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256',
    'kRSA',
    'DHE',
  ]) {
    const refused = secure({ ...tls12, ciphers: `${ciphers}:@SECLEVEL=0` });
    await assert.rejects(refused, { code: /HANDSHAKE_FAILURE$/ }, ciphers);
  }
});

it('a client cannot renegotiate', async () => {
  const client = connectTls({ ...TRUST, maxVersion: 'TLSv1.2', port: port.port, host: '127.0.0.1' });
  await once(client, 'secureConnect');
  client.renegotiate({}, () => {});
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ERR_SSL_NO_RENEGOTIATION');
  client.destroy();
});

it('a client that is silent or slow during the handshake is cut off, and does not delay others', async () => {
  await start({ sniffTimeout: GRACE, headersTimeout: GRACE, requestTimeout: GRACE });
  const hello = await clientHello();
  const silent = await RawClient.connect(port.port);
  const half = await RawClient.connect(port.port);
  half.send(hello.subarray(0, 100));
  const drip = await RawClient.connect(port.port);
  await assertServes();
  for (let at = 0; drip.end === 'open'; at += 1) {
    assert.ok(at < hello.length, 'the whole hello was accepted');
    drip.send(hello.subarray(at, at + 1));
    await sleep(50);
  }
  for (const client of [silent, half]) await client.untilClosed();
  await allClosed();
  for (const client of [silent, half, drip]) client.destroy();
});

it('a client that disconnects during the handshake leaves nothing behind', async () => {
  await start({ handshakeTimeout: GRACE });
  const hello = await clientHello();
  const clients = [await RawClient.connect(port.port), await RawClient.connect(port.port)];
  for (const client of clients) client.send(hello.subarray(0, 100));
  await waitFor('both connections to be open', () => port.connections() === 2);
  clients[0]?.finish();
  clients[1]?.reset();
  await allClosed();
  assert.deepEqual(port.logged, []);
  clients[0]?.destroy();
});

it('a client that is silent after the handshake is cut off', async () => {
  const clients = [await secure(), await secure({ ALPNProtocols: ['h2'] })];
  clients[1]?.send(PREFACE.subarray(0, 10));
  for (const client of clients) await client.untilClosed();
  await allClosed();
});

it('missing headers get a 408, and an idle connection is closed', async () => {
  const slow = await secure();
  slow.send('GET / HTTP/1.1\r\nHost:');
  const idle = await secure();
  idle.send(get('/'));
  for (const client of [slow, idle]) await client.untilClosed();
  const statuses = [slow, idle].map((client) =>
    parseAnswers(client.heard).answers.map(({ status }) => status),
  );
  assert.deepEqual(statuses, [[408], [200]]);
  await allClosed();
});

it('a plaintext client gets an error that names https, its connection closes, and the log says it once', async () => {
  for (const bytes of [get('/'), HELLO, get('/')]) {
    const client = await RawClient.connect(port.port);
    client.send(bytes);
    await client.untilClosed();
    const { answers, rest } = parseAnswers(client.heard);
    assert.deepEqual([answers.map(({ status }) => status), rest], [[400], '']);
    assert.match(answers[0]?.body ?? '', /https:\/\//);
    client.destroy();
  }
  await allClosed();
  assert.deepEqual(
    port.logged.map(({ text, fields }) => [text, fields['reason']]),
    [
      [
        'a client sent plain HTTP to the HTTPS port; similar warnings are suppressed for a minute',
        'http request',
      ],
    ],
  );
  await assertServes();
});

it('a client that does not trust the certificate is logged', async () => {
  await assert.rejects(secure({ ca: [] }), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  // Node.js's client does not say why it disconnects; other clients send an alert.
  const alert = await RawClient.connect(port.port);
  alert.send(Buffer.from([21, 3, 3, 0, 2, 2, 48]));
  await alert.untilClosed();
  assert.deepEqual(
    port.logged.map(({ text }) => text),
    ['a TLS handshake failed; similar warnings are suppressed for a minute'],
  );
  alert.destroy();
});

it('a client that never reads its stream is cut off', async () => {
  const http1 = await secure();
  http1.stopReading();
  http1.send(get('/stream'));
  const http2 = await secure({ ALPNProtocols: ['h2'] });
  http2.stopReading();
  const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
  const fields = GET.map(([name, value]) => [name, name === ':path' ? '/stream' : value] as const);
  http2.send(
    Buffer.concat([
      PREFACE,
      frame(TYPE.SETTINGS, 0, 0, window),
      frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.from([0x3f, 0xff, 0, 0])),
      headers(1, fields),
    ]),
  );
  await waitFor('both responses to close', () => closed === 2);
  await allClosed();
  http1.destroy();
  http2.destroy();
});

it('above the connection limit a client gets a 503', async () => {
  await start({ connections: 1, refusals: 2, headersTimeout: GRACE, requestTimeout: GRACE });
  const held = await secure();
  held.send(get('/wait'));
  await waitFor('the place to be taken', () => waiting.length === 1);
  const refused = await secure();
  refused.send(get('/'));
  await refused.untilClosed();
  assert.deepEqual(
    parseAnswers(refused.heard).answers.map(({ status }) => status),
    [503],
  );
  held.destroy();
  await allClosed();
  await assertServes();
});

it('a URL as the target must have the scheme of the port', async () => {
  const client = await secure();
  client.send(get('https://b/x') + get('http://b/x'));
  await client.until('both responses', (heard) => parseAnswers(heard).answers.length === 2);
  const { answers } = parseAnswers(client.heard);
  assert.deepEqual([answers[0]?.body, answers[1]?.status], ['HTTP/1.1 /x', 400]);
  client.destroy();
});

it('a drain completes requests in progress and ends everything else, including handshakes', async () => {
  // With the real timeouts: nothing here may depend on them.
  await port.drain(0);
  port = await openPlainPort(handler, {}, IDENTITY);
  const http1 = await secure();
  http1.send(get('/wait'));
  const session = openSecureSession();
  const http2 = openStream(session, '/wait');
  const idle = await secure();
  idle.send(get('/'));
  await idle.until('the response', (heard) => parseAnswers(heard).answers.length === 1);
  const silent = await secure();
  const shaking = await RawClient.connect(port.port);
  shaking.send((await clientHello()).subarray(0, 100));
  await waitFor('all connections to be open', () => waiting.length === 2 && port.connections() === 5);
  const goaway = once(session, 'goaway');
  const drained = port.drain(GRACE);
  assert.equal((await goaway)[0], 0);
  for (const client of [idle, silent]) await client.untilClosed();
  await assert.rejects(RawClient.connect(port.port), { code: 'ECONNREFUSED' });
  for (const response of waiting) response.end('done');
  await http1.untilClosed();
  const { answers } = parseAnswers(http1.heard);
  assert.deepEqual(
    answers.map(({ headers: fields, body }) => [fields['connection'], body]),
    [['close', 'done']],
  );
  assert.equal(await (await http2).body, 'done');
  await shaking.untilClosed();
  assert.equal(await drained, 'drained');
  assert.equal(port.connections(), 0);
  for (const client of [http1, idle, silent, shaking]) client.destroy();
});

import type { RawClient } from './support/raw.ts';

/** Bytes for an HTTP/1 connection, and the expected result. */
export interface Http1Row {
  readonly name: string;
  /** Text is latin1: one byte per character. */
  readonly send: string | Uint8Array | ((client: RawClient) => Promise<void>);
  /** The statuses of all responses, in order. */
  readonly statuses: readonly number[];
  /** Matches the body of the last response. */
  readonly says?: RegExp;
  /** Whether the connection then serves another request, or is closed. */
  readonly next: 'kept' | 'closed';
  /** Requires the test's own handler: the service would respond differently. */
  readonly plain?: true;
}

const HOST = 'Host: 127.0.0.1\r\n';
const get = (target: string, headers = HOST): string => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const HEALTH = get('/health');
const post = (headers: string, body: string): string => `POST /body HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const chunked = (chunks: string): string => post('Transfer-Encoding: chunked\r\n', chunks);

const hosts: readonly Http1Row[] = [
  ...[
    'a b',
    'a/b',
    'a?b',
    'user@a',
    'a:port',
    'a:99999',
    '[::1',
    '1.2.3.4.5',
    '%zz',
    'a\\b',
    '<a>',
    "a';id;'b",
    'x$(id)',
    '',
  ].map(
    (host): Http1Row => ({
      name: `Host: ${host === '' ? '(empty)' : host}`,
      send: get('/health', `Host: ${host}\r\n`),
      statuses: [400],
      says: /Host .*is not a host name/,
      next: 'kept',
    }),
  ),
  ...['a', 'a:1', 'a.b-c_d~e:65535', '[::1]:80', '1.2.3.4'].map(
    (host): Http1Row => ({
      name: `Host: ${host}`,
      send: get('/health', `Host: ${host}\r\n`),
      statuses: [200],
      next: 'kept',
    }),
  ),
  {
    name: 'no Host',
    send: get('/health', ''),
    statuses: [400],
    says: /Host header is missing/,
    next: 'kept',
  },
  {
    name: 'two Hosts',
    send: get('/health', HOST + HOST),
    statuses: [400],
    says: /more than one/,
    next: 'kept',
  },
];

const versions: readonly Http1Row[] = [
  { name: 'HTTP/1.0 without Host', send: 'GET /health HTTP/1.0\r\n\r\n', statuses: [200], next: 'closed' },
  {
    name: 'HTTP/1.0 with a bad Host',
    send: 'GET /health HTTP/1.0\r\nHost: a b\r\n\r\n',
    statuses: [400],
    next: 'closed',
  },
  {
    name: 'HTTP/1.0 with keep-alive',
    send: 'GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    statuses: [200],
    next: 'kept',
  },
  { name: 'HTTP/0.9', send: 'GET /health\r\n\r\n', statuses: [505], next: 'closed' },
  { name: 'HTTP/0.9 in one line', send: 'GET /health\r\n', statuses: [408], next: 'closed' },
  { name: 'HTTP/2.0 as text', send: 'GET /health HTTP/2.0\r\n\r\n', statuses: [505], next: 'closed' },
  { name: 'HTTP/1.2', send: `GET /health HTTP/1.2\r\n${HOST}\r\n`, statuses: [400], next: 'closed' },
  { name: 'HTTP/9.9', send: `GET /health HTTP/9.9\r\n${HOST}\r\n`, statuses: [400], next: 'closed' },
];

const notHttp: readonly Http1Row[] = [
  { name: 'silence', send: '', statuses: [], next: 'closed' },
  { name: 'half a preface, then silence', send: 'PRI * HTTP/2.0\r\n', statuses: [], next: 'closed' },
  { name: 'one byte of a preface, then silence', send: 'P', statuses: [], next: 'closed' },
  { name: 'PRI * HTTP/1.1', send: `PRI * HTTP/1.1\r\n${HOST}\r\n`, statuses: [400], next: 'closed' },
  {
    name: 'a preface with a wrong end',
    send: 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
    statuses: [400],
    next: 'closed',
  },
  { name: 'PRX', send: get('/health').replace('GET', 'PRX'), statuses: [400], next: 'closed' },
  { name: 'an unknown method', send: get('/health').replace('GET', 'FOO'), statuses: [400], next: 'closed' },
  { name: 'a lower-case method', send: HEALTH.replace('GET', 'get'), statuses: [400], next: 'closed' },
  {
    name: 'a TLS handshake',
    send: Buffer.from('16030100a5010000a10303deadbeef', 'hex'),
    statuses: [400],
    next: 'closed',
  },
  { name: 'SSH', send: 'SSH-2.0-OpenSSH_9.6\r\n', statuses: [400], next: 'closed' },
  { name: 'Redis', send: '*1\r\n$4\r\nPING\r\n', statuses: [400], next: 'closed' },
  { name: 'a hundred NULs', send: Buffer.alloc(100), statuses: [400], next: 'closed' },
  { name: 'only empty lines', send: '\r\n\r\n\r\n', statuses: [408], next: 'closed' },
  { name: 'empty lines before a request', send: `\r\n\r\n${HEALTH}`, statuses: [200], next: 'kept' },
  {
    name: 'a client that disconnects immediately',
    send: async (client) => client.finish(),
    statuses: [],
    next: 'closed',
  },
  {
    name: 'a client that disconnects during a preface',
    send: async (client) => {
      client.send('PRI * HT');
      client.finish();
    },
    statuses: [],
    next: 'closed',
  },
  {
    name: 'a client that disconnects during the headers',
    send: async (client) => {
      client.send('GET /health HTTP/1.1\r\nHos');
      client.finish();
    },
    statuses: [400],
    next: 'closed',
  },
  {
    name: 'a reset during the headers',
    send: async (client) => {
      client.send('GET /health HTTP/1.1\r\nHos');
      client.reset();
    },
    statuses: [],
    next: 'closed',
  },
  { name: 'headers that stop', send: 'GET /health HTTP/1.1\r\nHost:', statuses: [408], next: 'closed' },
  {
    name: 'headers that never end',
    send: (client) => drip(client, 'GET /health HTTP/1.1\r\n', 'X: y\r\n'),
    statuses: [408],
    next: 'closed',
  },
  {
    name: 'a request byte by byte',
    send: (client) => client.sendByteByByte(Buffer.from(HEALTH)),
    statuses: [200],
    next: 'kept',
  },
];

const sizes: readonly Http1Row[] = [
  { name: 'a header of 20 kB', send: get('/health', `${HOST}X: ${'y'.repeat(20_000)}\r\n`), ...tooLarge() },
  {
    name: 'a header that never ends',
    send: `${HEALTH.slice(0, -2)}X: ${'y'.repeat(500_000)}`,
    ...tooLarge(),
  },
  { name: 'a target of 20 kB', send: get(`/${'a'.repeat(20_000)}`), ...tooLarge() },
  {
    name: '150 headers',
    send: get('/health', HOST + 'X: y\r\n'.repeat(150)),
    statuses: [431],
    says: /at most 100/,
    next: 'kept',
  },
  { name: '4000 headers', send: get('/health', HOST + 'X:\r\n'.repeat(4000)), statuses: [431], next: 'kept' },
  {
    name: 'trailers of 60 kB',
    send: chunked(`1\r\na\r\n0\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
    ...tooLarge(),
    plain: true,
  },
  {
    name: 'a chunk extension of 20 kB',
    send: chunked(`1;${'x'.repeat(20_000)}\r\na\r\n0\r\n\r\n`),
    statuses: [413],
    next: 'closed',
    plain: true,
  },
];

function tooLarge(): Pick<Http1Row, 'statuses' | 'says' | 'next'> {
  return { statuses: [431], says: /too large/, next: 'closed' };
}

/** Bytes that have been used to make two servers see different requests. */
const smuggling: readonly Http1Row[] = [
  ...(
    [
      ['length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
      ['chunks and length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
      ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
      ['a length with a plus sign', 'Content-Length: +5\r\n'],
      ['a negative length', 'Content-Length: -5\r\n'],
      ['a hexadecimal length', 'Content-Length: 0x5\r\n'],
      ['a list of lengths', 'Content-Length: 5, 5\r\n'],
      ['a length above 64 bits', 'Content-Length: 99999999999999999999999\r\n'],
      ['an empty length', 'Content-Length:\r\n'],
      ['an unknown transfer encoding', 'Transfer-Encoding: xchunked\r\n'],
      ['chunked before another encoding', 'Transfer-Encoding: chunked, gzip\r\n'],
      ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'],
      ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
      ['a folded header', 'Transfer-Encoding:\r\n chunked\r\n'],
      ['a header without a name', ': chunked\r\n'],
      ['a header without a colon', 'Transfer-Encoding\r\n'],
      ['a bare CR in a header', 'X: a\rTransfer-Encoding: chunked\r\n'],
      ['a bare LF in a header', 'X: a\nTransfer-Encoding: chunked\r\n'],
      ['a NUL in a header', 'X: a\0b\r\n'],
    ] as const
  ).map(([name, headers]): Http1Row => ({ name, send: post(headers, '0\r\n\r\n'), ...notValid() })),
  { name: 'lines that end in LF only', send: HEALTH.replaceAll('\r', ''), ...notValid() },
  ...(
    [
      ['that is not hexadecimal', 'zz\r\nab\r\n0\r\n\r\n'],
      ['negative', '-1\r\na\r\n0\r\n\r\n'],
      ['above 64 bits', 'fffffffffffffffff\r\na\r\n0\r\n\r\n'],
      ['with a space', '1 \r\na\r\n0\r\n\r\n'],
      ['with 0x', '0x1\r\na\r\n0\r\n\r\n'],
      ['that ends in LF only', '1\na\r\n0\r\n\r\n'],
      ['smaller than the chunk', '5\r\nabcdefg\r\n0\r\n\r\n'],
    ] as const
  ).map(
    ([name, chunks]): Http1Row => ({
      name: `a chunk size ${name}`,
      send: chunked(chunks),
      ...notValid(),
      plain: true,
    }),
  ),
  {
    name: 'a request in place of an unannounced body',
    send: `${HEALTH}0\r\n\r\n${HEALTH}`,
    statuses: [200, 400],
    next: 'closed',
  },
];

function notValid(): Pick<Http1Row, 'statuses' | 'says' | 'next'> {
  return { statuses: [400], says: /not valid HTTP/, next: 'closed' };
}

const targets: readonly Http1Row[] = [
  ...['/a\0b', '/a b', '/a\xff', '/\xc3\xa9', '/a\tb', 'health', '127.0.0.1:80'].map(
    (target): Http1Row => ({
      name: `the target ${JSON.stringify(target)}`,
      send: get(target),
      ...notValid(),
    }),
  ),
  { name: 'a URL as the target', send: get('http://a:1/health'), statuses: [200], next: 'kept' },
  {
    name: 'a URL with a different host than Host',
    send: get('http://a/where'),
    statuses: [200],
    says: /^GET \/where at a$/,
    next: 'kept',
    plain: true,
  },
  {
    name: 'a URL without a path',
    send: get('HTTP://a?q'),
    statuses: [200],
    says: /^GET \/\?q at a$/,
    next: 'kept',
    plain: true,
  },
  { name: 'a URL without a host', send: get('http:///x'), statuses: [400], next: 'kept' },
  { name: 'a URL with a user', send: get('http://u@a/'), statuses: [400], next: 'kept' },
  { name: 'a URL without Host', send: get('http://a/', ''), statuses: [400], next: 'kept' },
  ...['https://a/', 'ftp://a/', 'file:///etc/passwd'].map(
    (target): Http1Row => ({
      name: `the target ${target}`,
      send: get(target),
      statuses: [400],
      says: /scheme/,
      next: 'kept',
    }),
  ),
  {
    name: 'a chunked body that the handler reads in part',
    send: chunked(`49500\r\n${'x'.repeat(300_288)}\r\n0\r\n\r\n`).replace('/body', '/part'),
    statuses: [200],
    next: 'closed',
    plain: true,
  },
  {
    name: 'a body with a length that the handler reads in part',
    send: `POST /part HTTP/1.1\r\nHost: a\r\nContent-Length: 200288\r\n\r\n${'x'.repeat(200_288)}`,
    statuses: [200],
    next: 'kept',
    plain: true,
  },
  {
    name: 'a body that never follows its early response, after which the connection closes silently',
    send: 'POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx',
    statuses: [204],
    next: 'closed',
    plain: true,
  },
  { name: 'OPTIONS *', send: HEALTH.replace('GET /health', 'OPTIONS *'), statuses: [204], next: 'kept' },
  { name: 'GET *', send: get('*'), statuses: [400], next: 'kept' },
  {
    name: 'CONNECT',
    send: HEALTH.replace('GET /health', 'CONNECT a:443'),
    statuses: [405],
    says: /not a proxy/,
    next: 'closed',
  },
  {
    name: 'invalid percent-escapes',
    send: get('/%zz%'),
    statuses: [200],
    says: /^GET \/%zz% /,
    next: 'kept',
    plain: true,
  },
  {
    name: 'two slashes',
    send: get('//a//b'),
    statuses: [200],
    says: /^GET \/\/a\/\/b /,
    next: 'kept',
    plain: true,
  },
];

const manners: readonly Http1Row[] = [
  {
    name: 'an upgrade to WebSocket',
    send: get('/health', `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n`),
    statuses: [200],
    next: 'kept',
  },
  {
    name: 'an upgrade to HTTP/2',
    send: get(
      '/health',
      `${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`,
    ),
    statuses: [200],
    next: 'kept',
  },
  {
    name: 'Expect: 100-continue',
    send: get('/health', `${HOST}Expect: 100-continue\r\nContent-Length: 3\r\n`) + 'abc',
    statuses: [100, 200],
    next: 'kept',
  },
  {
    name: 'another expectation',
    send: get('/health', `${HOST}Expect: cake\r\n`),
    statuses: [417],
    next: 'kept',
  },
  {
    name: 'fifty requests at once',
    send: HEALTH.repeat(50),
    statuses: Array.from({ length: 50 }, () => 200),
    next: 'kept',
  },
  { name: 'a request, then garbage', send: `${HEALTH}junk\r\n\r\n`, statuses: [200, 400], next: 'closed' },
  {
    name: 'a request, then CONNECT',
    send: HEALTH + HEALTH.replace('GET /health', 'CONNECT a:443'),
    statuses: [200, 405],
    next: 'closed',
  },
  {
    name: 'a body that stops',
    send: post('Content-Length: 5\r\n', 'ab'),
    statuses: [408],
    next: 'closed',
    plain: true,
  },
  {
    name: 'a body that never ends',
    send: (client) => drip(client, post('Transfer-Encoding: chunked\r\n', ''), '1\r\na\r\n'),
    statuses: [408],
    next: 'closed',
    plain: true,
  },
  {
    name: 'a client that disconnects during a body',
    send: async (client) => {
      client.send(post('Content-Length: 5\r\n', 'ab'));
      client.finish();
    },
    statuses: [400],
    next: 'closed',
    plain: true,
  },
];

/** Sends a piece repeatedly while the connection is open. */
async function drip(client: RawClient, begin: string, piece: string): Promise<void> {
  client.send(begin);
  while (client.end === 'open') {
    client.send(piece);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const HTTP1_ROWS: readonly Http1Row[] = [
  ...hosts,
  ...versions,
  ...notHttp,
  ...sizes,
  ...smuggling,
  ...targets,
  ...manners,
];

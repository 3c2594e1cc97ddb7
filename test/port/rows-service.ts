import { gzipSync } from 'node:zlib';
import { grpc, http1 } from './support/ask.ts';
import { envelope, SIZE_3 } from './support/envelope.ts';
import { parseAnswers } from './support/http1.ts';
import { RawClient } from './support/raw.ts';

/** A bad request to one of the service's interfaces, and the expected response. */
export interface ServiceRow {
  readonly name: string;
  /** Sends the request and returns the relevant parts of the response. */
  readonly ask: (port: number) => Promise<string>;
  readonly answer: string;
}

const RPC = '/discovery.v1.DiscoveryService';
const CREATE = `${RPC}/CreateToken`;
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

/** 64 MB of spaces, which are valid JSON but not valid proto. */
const BOMB = gzipSync(Buffer.alloc(64_000_000, ' '));

const connectCalls: ReadonlyArray<
  readonly [name: string, headers: Record<string, string>, body: string | Uint8Array, answer: string]
> = [
  ['a gzip bomb', { ...JSON_TYPE, 'content-encoding': 'gzip' }, BOMB, '429 resource_exhausted'],
  ['invalid gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 'junk', '400 invalid_argument'],
  ['an unknown compression', { ...JSON_TYPE, 'content-encoding': 'br' }, 'junk', '501 unimplemented'],
  ['a body of 1 MB', JSON_TYPE, `{"description":"${'x'.repeat(1_000_000)}"}`, '429 resource_exhausted'],
  ['no body', JSON_TYPE, '', '400 invalid_argument'],
  ['half of a JSON object', JSON_TYPE, '{"size":', '400 invalid_argument'],
  ['JSON of 10,000 levels', JSON_TYPE, '{"a":'.repeat(10_000), '400 invalid_argument'],
  ['JSON of another shape', JSON_TYPE, '[3]', '400 invalid_argument'],
  ['a field of another type', JSON_TYPE, '{"size":"three"}', '400 invalid_argument'],
  ['a size above 32 bits', JSON_TYPE, '{"size":4294967296}', '400 invalid_argument'],
  ['text that is not UTF-8', JSON_TYPE, Buffer.from('{"token":"\xff"}', 'latin1'), '400 invalid_argument'],
  [
    'a timeout that is not a number',
    { ...JSON_TYPE, 'connect-timeout-ms': 'x' },
    '{}',
    '400 invalid_argument',
  ],
  ['no content type', {}, '{"size":3}', '415 unknown'],
  ['another content type', { 'content-type': 'text/plain' }, '{"size":3}', '415 unknown'],
  ['a media type of another protocol', { 'content-type': 'image/jpeg' }, '{"size":3}', '415'],
  ['another codec', { 'content-type': 'application/grpc+xml' }, '{"size":3}', '415'],
  ['invalid proto', { 'content-type': 'application/proto' }, Buffer.alloc(9, 0xff), '400 invalid_argument'],
];

const grpcCalls: ReadonlyArray<
  readonly [name: string, headers: Record<string, string>, body: Uint8Array, answer: string]
> = [
  ['a valid call', {}, envelope(0, 2, SIZE_3), 'grpc 0'],
  ['a truncated frame', {}, envelope(0, 100, SIZE_3), 'grpc 3'],
  ['a truncated frame header', {}, Buffer.from([0, 0]), 'grpc 3'],
  ['an announced frame of 4 GB', {}, envelope(0, 0xffff_ffff, SIZE_3), 'grpc 8'],
  ['a frame of 1 MB', {}, envelope(0, 1_000_000, Buffer.alloc(1_000_000)), 'grpc 8'],
  ['a frame shorter than its message', {}, envelope(0, 1, SIZE_3), 'grpc 13'],
  ['no message', {}, Buffer.alloc(0), 'grpc 12'],
  ['two messages', {}, Buffer.concat([envelope(0, 2, SIZE_3), envelope(0, 2, SIZE_3)]), 'grpc 12'],
  ['compressed, without a named compression', {}, envelope(1, 2, SIZE_3), 'grpc 13'],
  ['a gzip bomb', { 'grpc-encoding': 'gzip' }, envelope(1, BOMB.length, BOMB), 'grpc 8'],
  ['invalid gzip', { 'grpc-encoding': 'gzip' }, envelope(1, 2, SIZE_3), 'grpc 3'],
  ['an unknown compression', { 'grpc-encoding': 'br' }, envelope(1, 2, SIZE_3), 'grpc 12'],
  ['an invalid message', {}, envelope(0, 3, Buffer.alloc(3, 0xff)), 'grpc 13'],
  ['an invalid timeout', { 'grpc-timeout': 'soon' }, envelope(0, 2, SIZE_3), 'grpc 3'],
];

const paths: ReadonlyArray<readonly [path: string, answer: string]> = [
  ['/%zz', '400 210'],
  ['/%', '400 210'],
  ['/%00', '400 210'],
  ['/%ff', '400 210'],
  ['/%c3', '400 210'],
  ['/v2/keys/_etcd/registry/%ff/1', '400 210'],
  ['/new?size=%zz', '400'],
  [`/${'a'.repeat(8000)}`, '404 100'],
  ['//', '301'],
  ['//example.com/x', '301'],
  ['/__proto__', '404 100'],
  ['/constructor', '404 100'],
  [`${RPC}/constructor`, '404 unimplemented'],
  [CREATE, '405 unknown'],
  [`${RPC}/ListMembers?encoding=json&message=%7B`, '400 invalid_argument'],
  [`${RPC}/ListMembers?encoding=json&message=%zz`, '400 invalid_argument'],
];

/** Sends an HTTP/1.1 request whose body is given as raw bytes. */
async function raw(port: number, head: string, body: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(`${head}\r\nHost: 127.0.0.1\r\n${body}`);
  // Longer than the real timeout of a request.
  await client.untilClosed(90_000);
  client.destroy();
  return parseAnswers(client.heard)
    .answers.map(({ status }) => status)
    .join(' ');
}

const LAST = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';

export const SERVICE_ROWS: readonly ServiceRow[] = [
  ...connectCalls.map(
    ([name, headers, body, answer]): ServiceRow => ({
      name: `Connect: ${name}`,
      ask: (port) => http1(port, 'POST', CREATE, headers, body),
      answer,
    }),
  ),
  ...grpcCalls.map(
    ([name, headers, body, answer]): ServiceRow => ({
      name: `gRPC: ${name}`,
      ask: (port) => grpc(port, CREATE, headers, body),
      answer,
    }),
  ),
  {
    name: 'gRPC: an unknown method',
    ask: (port) => grpc(port, `${RPC}/Nothing`, {}, envelope(0, 2, SIZE_3)),
    answer: 'grpc 12',
  },
  {
    name: 'Connect: an unknown method',
    ask: (port) => http1(port, 'POST', `${RPC}/Nothing`, JSON_TYPE, '{}'),
    answer: '404 unimplemented',
  },
  ...paths.map(
    ([path, answer]): ServiceRow => ({
      name: `GET ${path.length > 80 ? `${path.slice(0, 20)}...` : path}`,
      ask: (port) => http1(port, 'GET', path),
      answer,
    }),
  ),
  {
    name: 'a v2 form of 1 MB',
    ask: (port) => http1(port, 'PUT', '/a/1', FORM_TYPE, `value=${'x'.repeat(1_000_000)}`),
    answer: '413 210',
  },
  {
    name: 'a v2 form with an invalid percent-escape',
    ask: (port) => http1(port, 'PUT', '/a/1', FORM_TYPE, 'value=%zz'),
    answer: '400 210',
  },
  {
    name: 'a v2 body that is not a form',
    ask: (port) => http1(port, 'PUT', '/a/1', { 'content-type': 'multipart/form-data; boundary=x' }, '--x'),
    answer: '400 209',
  },
  ...['TRACE', 'PATCH', 'PROPFIND', 'POST'].map(
    (method): ServiceRow => ({
      name: `${method} of a v2 path`,
      ask: (port) => http1(port, method, '/a/1'),
      answer: '405 110',
    }),
  ),
  {
    name: 'an RPC with an invalid chunk',
    ask: (port) =>
      raw(
        port,
        `POST ${CREATE} HTTP/1.1`,
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      ),
    answer: '400',
  },
  {
    // Larger than what may have been read when the response begins: after a whole body the connection stays open.
    name: 'a chunked RPC that is too large, which closes the connection',
    ask: (port) =>
      raw(
        port,
        `POST ${CREATE} HTTP/1.1`,
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c0\r\n${'x'.repeat(3_000_000)}\r\n0\r\n\r\n${LAST}`,
      ),
    answer: '429',
  },
  {
    name: 'an RPC whose body stops',
    ask: (port) =>
      raw(
        port,
        `POST ${CREATE} HTTP/1.1`,
        `Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"size`,
      ),
    answer: '408',
  },
  {
    name: 'a v2 registration whose body stops',
    ask: (port) =>
      raw(
        port,
        'PUT /a/1 HTTP/1.1',
        `Content-Type: ${FORM_TYPE['content-type']}\r\nContent-Length: 9\r\n\r\nvalue`,
      ),
    answer: '408',
  },
];

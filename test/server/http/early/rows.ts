import { envelope, SIZE_3 } from '../../../port/support/envelope.ts';

/** A request that gets a response before its whole body is read, or could get one. */
export interface EarlyRow {
  readonly name: string;
  /** Method and target. */
  readonly start: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The bytes of the body that a response requires; Infinity for all of it. */
  readonly needs: number;
  readonly status: number;
  /** Sends chunks instead of a Content-Length. */
  readonly chunked?: boolean;
}

const RPC = '/discovery.v1.DiscoveryService';
const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';
const LARGE = 400_000;
/** More than any interface reads. */
const PAST_LIMITS = 300_000;

const large = Buffer.alloc(LARGE, 'x');
/** Too small to close the connection. */
const middling = Buffer.alloc(100_000, ' ');
const small = Buffer.from('value=http://a:1');
const json = Buffer.from('{"size":3}');
const largeEnvelope = envelope(0, LARGE - 5, Buffer.alloc(LARGE - 5, ' '));
/** Announces more than any limit, but sends little. */
const boast = envelope(0, 0xffff_ff00, SIZE_3);

type Row = readonly [
  name: string,
  start: string,
  headers: readonly string[],
  body: Buffer,
  needs: number,
  status: number,
  chunked?: 'chunked',
];

const rpcRows: readonly Row[] = [
  [
    'a watch of 400 KB',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+json'],
    largeEnvelope,
    5,
    200,
  ],
  [
    'a watch of 400 KB, in chunks',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+json'],
    largeEnvelope,
    5,
    200,
    'chunked',
  ],
  [
    'a watch of 100 KB',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+json'],
    envelope(0, 99_995, middling.subarray(5)),
    5,
    200,
  ],
  [
    'a watch that announces more than it sends',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+proto'],
    boast,
    5,
    200,
  ],
  [
    'a gRPC-Web watch of 400 KB',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/grpc-web+proto'],
    largeEnvelope,
    5,
    200,
  ],
  ['a unary call of 400 KB', `POST ${RPC}/CreateToken`, [JSON_TYPE], large, 0, 429],
  [
    'a unary call of 400 KB, in chunks',
    `POST ${RPC}/CreateToken`,
    [JSON_TYPE],
    large,
    PAST_LIMITS,
    429,
    'chunked',
  ],
  ['a unary call of 100 KB', `POST ${RPC}/CreateToken`, [JSON_TYPE], middling, 0, 429],
  [
    'a protobuf unary call of 400 KB',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/proto'],
    large,
    0,
    429,
  ],
  [
    'a gRPC-Web unary call of 400 KB',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc-web+proto'],
    largeEnvelope,
    5,
    200,
  ],
  [
    'a gRPC-Web unary call of 400 KB, in chunks',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc-web+proto'],
    largeEnvelope,
    5,
    200,
    'chunked',
  ],
  [
    'a gRPC-Web unary call that announces more than it sends',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc-web+proto'],
    boast,
    5,
    200,
  ],
  [
    'gRPC over HTTP/1.1',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc'],
    largeEnvelope,
    5,
    200,
  ],
  ['another media type', `POST ${RPC}/CreateToken`, ['Content-Type: image/jpeg'], large, 0, 415],
  ['no media type', `POST ${RPC}/CreateToken`, [], large, 0, 415],
  [
    'another media type for a stream, in chunks',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: image/jpeg'],
    large,
    0,
    415,
    'chunked',
  ],
  ['another method', `PUT ${RPC}/CreateToken`, [JSON_TYPE], large, 0, 405],
  ['another method, in chunks', `PUT ${RPC}/CreateToken`, [JSON_TYPE], large, 0, 405, 'chunked'],
  ['a GET read with a body', `GET ${RPC}/ListMembers?encoding=json&message=%7B%7D`, [], large, 0, 400],
  ['an unknown method', `POST ${RPC}/Nothing`, [JSON_TYPE], large, 0, 404],
  ['an unknown method over gRPC', `POST ${RPC}/Nothing`, ['Content-Type: application/grpc'], large, 0, 200],
  ['an unknown compression', `POST ${RPC}/CreateToken`, [JSON_TYPE, 'Content-Encoding: br'], large, 0, 501],
  ['an invalid deadline', `POST ${RPC}/CreateToken`, [JSON_TYPE, 'Connect-Timeout-Ms: x'], large, 0, 400],
  [
    'a bidirectional stream',
    'POST /etcdserverpb.Watch/Watch',
    ['Content-Type: application/connect+json'],
    largeEnvelope,
    0,
    505,
  ],
  ['a v3 call that is too large', 'POST /etcdserverpb.KV/Range', [JSON_TYPE], large, 0, 429],
  ['a preflight with a body', `OPTIONS ${RPC}/CreateToken`, ['Origin: http://elsewhere'], large, 0, 204],
  [
    'a gRPC-Web call in text',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc-web-text'],
    large,
    0,
    415,
  ],
];

const v2Rows: readonly Row[] = [
  ['a registration of 400 KB', 'PUT /t/1', [FORM_TYPE], large, 0, 413],
  ['a registration of 400 KB, in chunks', 'PUT /t/1', [FORM_TYPE], large, PAST_LIMITS, 413, 'chunked'],
  ['a registration of 100 KB', 'PUT /t/1', [FORM_TYPE], middling, 0, 413],
  ['a registration that is not a form', 'PUT /t/1', ['Content-Type: image/jpeg'], large, 0, 400],
  [
    'a registration that is not a form, in chunks',
    'PUT /t/1',
    ['Content-Type: image/jpeg'],
    large,
    0,
    400,
    'chunked',
  ],
  ['an unknown path', 'PUT /a/b/c/d', [FORM_TYPE], large, 0, 413],
  ['a disallowed method', 'PATCH /t/1', [FORM_TYPE], large, 0, 405],
  ['a deletion with a body', 'DELETE /t/1', [], large, 0, 404],
  ['a read with a body', 'GET /t', [], large, 0, 404],
  ['OPTIONS with a body', 'OPTIONS /t/1', [], large, 0, 200],
  ['/new with a body of 400 KB', 'POST /new', [FORM_TYPE], large, 0, 413],
  ['/new with a body of 400 KB, in chunks', 'PUT /new', [FORM_TYPE], large, PAST_LIMITS, 413, 'chunked'],
  ['GET /new with a body of 400 KB', 'GET /new?size=3', ['Content-Type: text/plain'], large, 0, 413],
  ['/new with another method', 'DELETE /new', [], large, 0, 405],
  ["the path of etcd's v3 gateway", 'POST /v3/kv/range', [JSON_TYPE], large, 0, 404],
  ['a small unread body', 'DELETE /t/1', [], small, 0, 404],
];

const pageRows: readonly Row[] = [
  ['a form of 400 KB', 'POST /_page/new', [FORM_TYPE], large, Infinity, 400],
  [
    'a form from another site',
    'POST /_page/new',
    [FORM_TYPE, 'Origin: http://elsewhere'],
    small,
    Infinity,
    403,
  ],
  ['a form of 100 KB', 'POST /_page/new', [FORM_TYPE], middling, Infinity, 400],
  ['a page with a body', 'GET /', ['Accept: text/html'], large, 0, 200],
  ['a method that the page does not accept', 'PUT /_page/new', [], large, 0, 405],
  ['the page of a token with a body', 'GET /t', ['Accept: text/html'], large, 0, 404],
];

const serviceRows: readonly Row[] = [
  ['a probe with another method', 'POST /livez', [], large, 0, 405],
  ['a probe with another method, in chunks', 'POST /livez', [], large, 0, 405, 'chunked'],
  ['the metrics with a body', 'GET /metrics', [], large, 0, 200],
  ['the start page with a body', 'GET /', [], large, 0, 200],
  ['robots.txt with another method', 'PUT /robots.txt', [], small, 0, 405],
  ['the OpenAPI document with a body', 'GET /openapi.json', [], large, 0, 200],
];

const portRows: readonly Row[] = [
  ['OPTIONS * with a body', 'OPTIONS *', [], large, 0, 204],
  ['a target of another scheme', 'POST ftp://a/b', [], large, 0, 400],
  ['too many headers', 'POST /t/1', Array.from({ length: 120 }, (_, at) => `X-${at}: 1`), large, 0, 431],
];

const rowsOf = (rows: readonly Row[]): EarlyRow[] =>
  rows.map(([name, start, headers, body, needs, status, chunked]) => ({
    name,
    start,
    headers,
    body,
    needs: Math.min(needs, body.length),
    status,
    chunked: chunked !== undefined,
  }));

/** By interface. */
export const EARLY_ROWS: Readonly<Record<string, readonly EarlyRow[]>> = {
  RPC: rowsOf(rpcRows),
  'v2 dialect and /new': rowsOf(v2Rows),
  page: rowsOf(pageRows),
  'pages about the service': rowsOf(serviceRows),
  port: rowsOf(portRows),
};

const BOB = 'X-Forwarded-For: 198.51.100.2';

/** Responses to a client above its limit, for which the body is not read. */
export const REFUSED_ROWS: readonly EarlyRow[] = rowsOf([
  ['a unary call', `POST ${RPC}/CreateToken`, [JSON_TYPE, BOB], json, 0, 429],
  ['a unary call of 400 KB', `POST ${RPC}/CreateToken`, [JSON_TYPE, BOB], large, 0, 429],
  [
    'a unary call over gRPC-Web',
    `POST ${RPC}/CreateToken`,
    ['Content-Type: application/grpc-web+proto', BOB],
    largeEnvelope,
    0,
    200,
  ],
  [
    'a watch',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+json', BOB],
    largeEnvelope,
    0,
    200,
    'chunked',
  ],
  ['a registration', 'PUT /t/1', [FORM_TYPE, BOB], small, 0, 429],
  ['a registration of 400 KB, in chunks', 'PUT /t/1', [FORM_TYPE, BOB], large, 0, 429, 'chunked'],
  ['/new', 'POST /new', [FORM_TYPE, BOB], large, 0, 429],
  ['a form of the page', 'POST /_page/new', [FORM_TYPE, BOB], large, 0, 429],
  ['the start page', 'GET /', [BOB], large, 0, 429],
]);

/** Responses to an unknown caller, once the request is read. */
export const UNKNOWN_ROWS: readonly EarlyRow[] = rowsOf([
  ['a unary call', `POST ${RPC}/CreateToken`, [JSON_TYPE], json, Infinity, 401],
  [
    'a watch',
    `POST ${RPC}/WatchMembers`,
    ['Content-Type: application/connect+json'],
    envelope(0, 2, Buffer.from('{}')),
    Infinity,
    200,
    'chunked',
  ],
  ['/new', 'POST /new', [FORM_TYPE], Buffer.from('size=3'), Infinity, 401],
  ['a form of the page', 'POST /_page/new', [FORM_TYPE], Buffer.from('size=3'), Infinity, 401],
]);

// Bytes and requests to the port of the whole service, over real connections.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from 'node:http2';
import { createConnection } from 'node:net';
import { Code } from '@connectrpc/connect';
import { codeFromString } from '@connectrpc/connect/protocol-connect';
import { type RunningService, startService } from '../../support/service.ts';
import { mutatedJson } from '../json.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

const VICTIM = '6f2c1d0a9b8e7f5d4c3b2a190817f6e5';
/** A response without another byte for this long is still pending. */
const QUIET_MS = 20;
/** Every status of the service except those of its own failures. */
const STATUSES = [
  100, 200, 201, 204, 301, 303, 400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 417, 429, 431, 505,
];
/** Codes of gRPC and Connect for failures of the service, which no client can cause. */
const FAILURES: readonly number[] = [Code.Unknown, Code.Internal, Code.DataLoss, Code.Unavailable];

/**
 * Connect's own message for undecodable input, which quotes it to its sender. gRPC servers report it as an internal
 * error unless it is JSON.
 */
const UNREADABLE = /^(?:parse binary: |cannot decode )/;

let running: Promise<RunningService> | undefined;
let session: ClientHttp2Session | undefined;
let users = 0;

/** One service for the targets of this file. */
async function service(): Promise<RunningService> {
  running ??= (async () => {
    const started = await startService({ maxTokens: 1000 });
    await started.client.createToken({ token: VICTIM, size: 3 });
    await started.client.createToken({ token: 't', size: 3 });
    return started;
  })();
  return running;
}

async function leave(): Promise<void> {
  users -= 1;
  if (users > 0) return;
  session?.destroy();
  await (await running)?.stop();
  running = undefined;
}

/** Asserts that no defect was logged, and no whole token. */
function assertLog({ logged }: RunningService): void {
  for (const line of (logged as string[]).splice(0)) {
    assert.doesNotMatch(line, /"level":(?:50|60|"error"|"fatal")/, line.slice(0, 500));
    assert.ok(!line.includes(VICTIM));
  }
}

const LAST = 'GET /livez HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n';

const http1Words =
  `GET PUT POST HEAD OPTIONS DELETE CONNECT PRI / /t /t/a /new?size=3 /t?wait=true * http://h/t HTTP/1.1
  HTTP/1.0 HTTP/2.0 Host: Content-Length: Transfer-Encoding: chunked, gzip Connection: close keep-alive Expect:
  100-continue Upgrade: h2c Content-Type: application/x-www-form-urlencoded application/json application/grpc Accept:
  text/html Origin: http://evil Authorization: Basic Forwarded: for=1.2.3.4 X-Request-Id: X-Forwarded-For: value=3
  0\r\n\r\n 5\r\nhello\r\n`.split(/[ \n]+/);

const http1: Target = {
  name: 'http1',
  words: [
    ...http1Words,
    '\r\n',
    '\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /t HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  share: 0.08,
  longest: 32 * 1024,
  /** The bytes of a connection, followed by a last request. */
  async check(input) {
    const open = await service();
    const answer = await converse(open.port, input);
    assert.ok(!answer.includes(VICTIM));
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
    if (answer !== '' && !isHttp2(answer)) assert.ok(answer.startsWith('HTTP/1.1 '), answer.slice(0, 80));
    for (const status of statuses) assert.ok(STATUSES.includes(status), answer.slice(0, 500));
    assertLog(open);
  },
  close: leave,
};

/** Returns whether a response starts with a SETTINGS frame. */
const isHttp2 = (answer: string): boolean => answer.charCodeAt(3) === 4;

/** Returns the response bytes until the connection ends or stays quiet. */
function converse(port: number, input: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(end, QUIET_MS);
    socket.on('connect', () => {
      socket.write(input);
      socket.write(LAST);
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      timer.refresh();
    });
    socket.on('error', () => {});
    socket.on('close', end);
  });
}

const exchangeWords = `GET\x20/ POST\x20/ PUT\x20/ /t /new /t/a  /_page/ /discovery.v1.DiscoveryService/
  CreateToken Register GetCluster ListMembers WatchMembers /etcdserverpb.KV/Range /etcdserverpb.Watch/Watch
  /grpc.health.v1.Health/Check /grpc.reflection.v1.ServerReflection/ServerReflectionInfo content-type:\x20
  application/grpc application/grpc+proto application/grpc+json application/grpc-web application/grpc-web-text
  application/proto application/json application/connect+proto application/connect+json
  application/x-www-form-urlencoded grpc-timeout: 1S 99999999H 1n 10m grpc-encoding: gzip identity framed:1 framed:0
  connect-timeout-ms: connect-protocol-version: connect-content-encoding: accept:text/html sec-fetch-site: origin:
  te:trailers host: :authority: expect: ?message=%7B%7D&encoding=json&connect=v1 base64=1 size=3 ttl= description=
  <x-mark> value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380 token size peerUrls name memberId afterRevision 604800s
  2026-01-01T00:00:00Z -1s`
  .split(/[ \n]+/)
  .map((word) => word.replace('\x20', ' '));

const exchange: Target = {
  name: 'exchange',
  words: [...exchangeWords, '\n', '\n\n', '\0\0\0\0\0', '\x02\0\0\0\x02{}'],
  share: 0.05,
  longest: 12 * 1024,
  mutate(input, random) {
    const [head = '', body = ''] = halves(input.toString('latin1'));
    return Buffer.from(`${head}\n\n${mutatedJson(body, random, exchangeWords)}`, 'latin1');
  },
  /** `METHOD path`, header lines, an empty line, a body: sent over HTTP/2. `framed:1` adds gRPC framing. */
  async check(input) {
    const open = await service();
    const [head = '', text = ''] = halves(input.toString('latin1'));
    const [first = '', ...lines] = head.split('\n');
    const [method = '', path = ''] = first.split(' ');
    const headers: Record<string, string> = { ':method': method, ':path': path };
    for (const line of lines) {
      const colon = line.indexOf(':', 1);
      if (/^:?[\w!#$%&'*+.^`|~-]+$/.test(line.slice(0, Math.max(colon, 0))))
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const { framed, ...sent } = headers;
    const body = Buffer.from(text, 'latin1');
    const sentBody = framed === '1' ? Buffer.concat([frameHead(body.length), body]) : body;
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(open.url);
      session.on('error', () => {});
      await once(session, 'connect');
    }
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(sent, { endStream: sentBody.length === 0 });
    } catch {
      return; // Node.js's client refuses to send it.
    }
    const answer = await answerOf(stream, sentBody);
    assertAnswer(answer);
    assertLog(open);
  },
  close: leave,
};

function frameHead(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return head;
}

function halves(text: string): string[] {
  const at = text.indexOf('\n\n');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 2)];
}

interface Answer {
  /** Whether the response is complete. */
  readonly isWhole: boolean;
  readonly fields: IncomingHttpHeaders;
  readonly body: string;
}

function answerOf(stream: ClientHttp2Stream, body: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const fields: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    const end = (): void => {
      clearTimeout(timer);
      const isWhole = stream.readableEnded;
      stream.destroy();
      resolve({ isWhole, fields, body: Buffer.concat(chunks).toString('utf8') });
    };
    const timer = setTimeout(end, QUIET_MS);
    stream.on('response', (some) => void Object.assign(fields, some));
    stream.on('trailers', (some) => void Object.assign(fields, some));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      timer.refresh();
    });
    stream.on('error', () => {});
    stream.on('close', end);
    if (body.length > 0) stream.end(body);
  });
}

function assertAnswer({ isWhole, fields, body }: Answer): void {
  const response = `${JSON.stringify(fields)} ${body.slice(0, 500)}`;
  assert.ok(!response.includes(VICTIM) && !body.includes(VICTIM));
  const status = Number(fields[':status'] ?? 200);
  assert.ok(STATUSES.includes(status), response);
  const type = String(fields['content-type']);
  if (fields['grpc-status'] !== undefined) {
    const message = decodeURIComponent(fields['grpc-message']?.toString() ?? '');
    if (message !== '' && !UNREADABLE.test(message)) assertFit(message);
    assert.ok(!FAILURES.includes(Number(fields['grpc-status'])) || UNREADABLE.test(message), response);
  }
  if (isWhole && type.startsWith('application/json') && status >= 400) assertRefusal(status, body);
  if (type.startsWith('text/html')) assert.ok(!body.includes('<x-mark'), 'input is escaped');
  if (isWhole && type.startsWith('text/plain') && status >= 400) assertFit(body.trimEnd());
}

/** Wrong method or type: Connect's clients derive the code from the status. */
const UNSPOKEN: readonly number[] = [405, 415];

/** Asserts an error in the format of Connect or of etcd's v2 dialect. */
function assertRefusal(status: number, body: string): void {
  const refusal = JSON.parse(body) as { code?: string; message?: string; errorCode?: number; cause?: string };
  const { code, message, errorCode, cause } = refusal;
  if (errorCode === undefined) {
    const known = codeFromString(code ?? '');
    if (UNSPOKEN.includes(status)) assert.equal(known, Code.Unknown, body.slice(0, 500));
    else assert.ok(known !== undefined && !FAILURES.includes(known), body.slice(0, 500));
  } else assert.equal(typeof cause, 'string');
  for (const text of [message, cause]) if (text !== undefined && !UNREADABLE.test(text)) assertFit(text);
}

export const PORT_TARGETS: readonly Target[] = [http1, exchange];
users = PORT_TARGETS.length;

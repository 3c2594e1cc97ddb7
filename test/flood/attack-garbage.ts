import { connect } from 'node:net';
import { calling, FLAG, frame, GET, HELLO, hpack, parseFrames, TYPE } from '../port/support/frames.ts';
import { Random } from '../store/support/random.ts';

export interface GarbageOrder {
  readonly port: number;
  /** Requests in total. */
  readonly total: number;
  readonly seed: number;
  /** Sends the requests unchanged, as nodes that come and go do. */
  readonly good?: boolean;
  /** Concurrent connections. */
  readonly atOnce: number;
}

/** Requests on one connection. */
const BATCH = 20;
/** For connections that the service does not close. */
const LINGER_MS = 150;

const form = 'value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380';
const json = '{"token":"0123456789abcdef0123456789abcdef"}';
const token = '0123456789abcdef0123456789abcdef';
const post = (path: string, type: string, body: string, method = 'POST'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Requests of nodes, clients and browsers. */
const REQUESTS: readonly Buffer[] = [
  `GET /${token} HTTP/1.1\r\nHost: a\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n`,
  `GET /${token}/_config/size HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET /v2/keys/_etcd/registry/${token}?recursive=true&wait=true&waitIndex=7 HTTP/1.1\r\nHost: a\r\n\r\n`,
  post(`/${token}/1?prevExist=false`, 'application/x-www-form-urlencoded', form, 'PUT'),
  post('/discovery.v1.DiscoveryService/GetCluster', 'application/json', json),
  post('/discovery.v1.DiscoveryService/WatchMembers', 'application/connect+json', `\0\0\0\0,${json}`),
  post('/etcdserverpb.KV/Range', 'application/grpc-web+proto', '\0\0\0\0\x05\x0a\x03/_e'),
  'GET /new?size=3 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n\r\n',
  `GET /${token} HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n`,
  'POST /_page/new HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsize=3\r\n0\r\n\r\n',
  'GET /health HTTP/1.0\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

const HEADS = [
  GET,
  calling('/etcdserverpb.KV/Range'),
  calling('/etcdserverpb.Watch/Watch'),
  calling('/grpc.health.v1.Health/Check'),
].map(hpack);
const MESSAGE = Buffer.from('\0\0\0\0\x05\x0a\x03/_e', 'latin1');

/** Sends random bytes, or good requests with changed bytes, over HTTP/1.1 and HTTP/2. */
export async function sendGarbage({
  port,
  total,
  seed,
  atOnce,
  good = false,
}: GarbageOrder): Promise<{ requests: number; connections: number }> {
  let left = total;
  let connections = 0;
  const worker = async (index: number): Promise<void> => {
    const random = new Random(seed + index);
    while (left > 0) {
      const count = Math.min(BATCH, left);
      left -= count;
      connections += 1;
      await send(port, good ? goodBatch(random, count) : batch(random, count), random);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, index) => worker(index)));
  return { requests: total, connections };
}

function batch(random: Random, count: number): Buffer {
  const make = (one: (index: number) => Buffer): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));
  if (random.chance(0.1)) return make(() => bytes(random, random.between(1, 200)));
  if (random.chance(0.5)) return make(() => changed(random, random.pick(REQUESTS)));
  return Buffer.concat([HELLO, make((index) => stream(random, 2 * index + 1))]);
}

function goodBatch(random: Random, count: number): Buffer {
  const make = (one: (index: number) => Buffer): Buffer[] =>
    Array.from({ length: count }, (_, index) => one(index));
  if (random.chance(0.5)) return Buffer.concat(make(() => random.pick(REQUESTS)));
  return Buffer.concat([HELLO, ...make((index) => goodStream(random.pick(HEADS), 2 * index + 1))]);
}

function goodStream(head: Buffer, id: number): Buffer {
  const isWhole = head === HEADS[0];
  return Buffer.concat([
    frame(TYPE.HEADERS, FLAG.END_HEADERS | (isWhole ? FLAG.END_STREAM : 0), id, head),
    ...(isWhole ? [] : [frame(TYPE.DATA, FLAG.END_STREAM, id, MESSAGE)]),
  ]);
}

function stream(random: Random, id: number): Buffer {
  const head = random.pick(HEADS);
  const isWhole = head === HEADS[0];
  const flags = FLAG.END_HEADERS | (isWhole ? FLAG.END_STREAM : 0);
  // Changed as HPACK, or as a frame, which breaks the rest of the connection.
  const block = random.chance(0.5) ? changed(random, head) : head;
  const frames = Buffer.concat([
    frame(TYPE.HEADERS, flags, id, block),
    ...(isWhole ? [] : [frame(TYPE.DATA, FLAG.END_STREAM, id, changed(random, MESSAGE))]),
  ]);
  return random.chance(0.05) ? changed(random, frames) : frames;
}

const bytes = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.between(0, 255)));

/** Makes up to four changes, sometimes none. */
function changed(random: Random, good: Buffer): Buffer {
  let result = good;
  for (let changes = random.between(0, 4); changes > 0; changes -= 1) {
    const at = random.between(0, Math.max(0, result.length - 1));
    const [before, after] = [result.subarray(0, at), result.subarray(at)];
    const kind = random.between(0, 3);
    if (kind === 0) result = Buffer.concat([before, bytes(random, 1), after.subarray(1)]);
    else if (kind === 1) result = Buffer.concat([before, bytes(random, random.between(1, 8)), after]);
    else if (kind === 2) result = Buffer.concat([before, after.subarray(random.between(1, 8))]);
    else result = Buffer.concat([before, after.subarray(0, 16), after]);
  }
  return result;
}

/** Sends, closes its side, and reads until the service closes. */
function send(port: number, garbage: Buffer, random: Random): Promise<void> {
  const isHttp2 = garbage.subarray(0, HELLO.length).equals(HELLO);
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: `127.0.0.${random.between(2, 9)}`,
      allowHalfOpen: true,
    });
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    let heard: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (!isHttp2) return;
      // Some versions of node:http2 do not close a connection after GOAWAY.
      heard = Buffer.concat([heard, chunk]);
      if (parseFrames(heard).some(({ type }) => type === TYPE.GOAWAY)) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.write(garbage, () => setTimeout(() => socket.end(), 5));
  });
}

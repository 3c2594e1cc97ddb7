import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  calling,
  FLAG,
  type Frame,
  frame,
  GET,
  getting,
  HELLO,
  headers,
  PREFACE,
  parseFrames,
  setting,
  TYPE,
} from '../port/support/frames.ts';

/** The behaviour of a slow client. */
interface Slowness {
  /** Sent immediately. */
  readonly first: Buffer;
  /** Sent once a second afterwards, without end. */
  readonly drip?: Buffer;
  /** It does not read, and so does not notice when it is cut off. */
  readonly deaf?: true;
}

export interface SlowOrder {
  readonly port: number;
  readonly token: string;
  /** Of each kind. */
  readonly connections: number;
  /** They give up after this many ms. */
  readonly forMs: number;
}

/** How many of each kind noticed that the service cut them off. */
export type SlowResult = Readonly<Record<string, number>>;

const DRIP_MS = 1000;

/** Runs every kind of slow client at once. */
export async function runSlowClients({ port, token, connections, forMs }: SlowOrder): Promise<SlowResult> {
  const cutOff: Record<string, number> = {};
  const all = Object.entries(kinds(token)).flatMap(([name, slowness]) => {
    cutOff[name] = 0;
    return Array.from({ length: connections }, async (_, index) => {
      // Spread over time.
      await sleep((index / connections) * DRIP_MS);
      if (await dawdle(slowness, port, forMs)) cutOff[name] = (cutOff[name] ?? 0) + 1;
    });
  });
  await Promise.all(all);
  return cutOff;
}

const isReset = ({ type }: Frame): boolean => type === TYPE.RST_STREAM;

/** Returns whether the service closed the connection. */
function dawdle({ first, drip, deaf }: Slowness, port: number, forMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    let given = false;
    const giveUp = setTimeout(() => {
      given = true;
      socket.destroy();
    }, forMs);
    const timer = drip === undefined ? undefined : setInterval(() => socket.write(drip), DRIP_MS);
    socket.on('error', () => {});
    let heard: Buffer = Buffer.alloc(0);
    if (deaf === true) socket.pause();
    else {
      socket.on('data', (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        // Over HTTP/2 the service ends the stream.
        if (first.subarray(0, 3).equals(PREFACE.subarray(0, 3)) && parseFrames(heard).some(isReset))
          socket.destroy();
      });
    }
    socket.once('close', () => {
      clearTimeout(giveUp);
      clearInterval(timer);
      resolve(!given);
    });
    socket.write(first);
  });
}

function kinds(token: string): Readonly<Record<string, Slowness>> {
  const post = (path: string, type: string, method = 'POST'): Buffer =>
    Buffer.from(
      `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: 60000\r\n\r\n`,
    );
  const http2 = (...frames: Buffer[]): Buffer =>
    Buffer.concat([HELLO, frame(TYPE.SETTINGS, FLAG.ACK, 0), ...frames]);
  const list = getting(`/${token}`);
  const oneByte = frame(TYPE.DATA, FLAG.NONE, 1, Buffer.from('a'));
  return {
    'headers over HTTP/1.1': {
      first: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX: '),
      drip: Buffer.from('a'),
    },
    'the preface of HTTP/2': { first: PREFACE.subarray(0, 4) },
    'headers over HTTP/2': { first: http2(headers(1, GET, FLAG.END_STREAM)), deaf: true },
    'the body of a v2 registration': {
      first: post(`/${token}/1?prevExist=false`, 'application/x-www-form-urlencoded', 'PUT'),
      drip: Buffer.from('a'),
    },
    'the body of a Connect call': {
      first: post('/discovery.v1.DiscoveryService/GetCluster', 'application/json'),
      drip: Buffer.from(' '),
    },
    'the body of a gRPC call': {
      first: http2(headers(1, calling('/etcdserverpb.KV/Range'), FLAG.END_HEADERS)),
      drip: oneByte,
    },
    'the request of a v3 watch': {
      first: http2(headers(1, calling('/etcdserverpb.Watch/Watch'), FLAG.END_HEADERS)),
      drip: oneByte,
    },
    'reading a list over HTTP/1.1': {
      first: Buffer.from(`GET /${token} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(10)),
      deaf: true,
    },
    'reading a list over HTTP/2': {
      first: Buffer.concat([
        PREFACE,
        frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(4, 0)),
        frame(TYPE.SETTINGS, FLAG.ACK, 0),
        ...Array.from({ length: 10 }, (_, index) =>
          headers(2 * index + 1, list, FLAG.END_HEADERS | FLAG.END_STREAM),
        ),
      ]),
      deaf: true,
    },
    'reading a long poll': {
      first: Buffer.from(`GET /${token}?recursive=true&wait=true HTTP/1.1\r\nHost: a\r\n\r\n`),
      deaf: true,
    },
  };
}

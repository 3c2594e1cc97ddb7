import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { PortLimits } from '../../src/port/limits.ts';
import { openPort } from '../../src/port/port.ts';
import { CA, IDENTITY } from '../tls/files.ts';
import { cancel, type Field, FLAG, frame, GET, HELLO, headers, TYPE, uint32 } from './support/frames.ts';

const HOUR = 3_600_000;
/** Acknowledges the limits, so that exceeding them violates the protocol. */
const settled = frame(TYPE.SETTINGS, FLAG.ACK, 0);
const update = (by: number): Buffer => frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, uint32(by));
const get = (stream: number): Buffer => headers(stream, GET);
const many = (count: number, make: (stream: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(2 * index + 1)));

interface Row {
  readonly what: string;
  readonly limits: Partial<PortLimits>;
  readonly send: Buffer;
  readonly tls?: true;
}

const ROWS: readonly Row[] = [
  {
    // The periodic sweep would also detect it, in an hour.
    what: 'endless window updates while the process is busy',
    limits: { busyPercent: 0, sweepInterval: HOUR, otherBytes: 100_000 },
    send: many(20_000, () => update(1)),
  },
  {
    what: 'endless window updates over TLS',
    limits: { busyPercent: 0, sweepInterval: HOUR, otherBytes: 100_000 },
    send: many(20_000, () => update(1)),
    tls: true,
  },
  { what: 'streams above the limit', limits: { streams: 10 }, send: many(20, get) },
  {
    what: 'streams above the limit over TLS',
    limits: { streams: 10 },
    send: many(20, get),
    tls: true,
  },
];

for (const { what, limits, send, tls = false } of ROWS) {
  test(`a flooding client is cut off and reported: ${what}`, { timeout: 90_000 }, async (t) => {
    const flooded: (string | undefined)[] = [];
    const port = await openPort({
      host: '127.0.0.1',
      port: 0,
      tls: tls ? IDENTITY : undefined,
      handler: () => {},
      log: { warn() {}, error() {} },
      limits,
      onFlood: ({ remoteAddress }) => flooded.push(remoteAddress),
    });
    const to = { port: port.port, host: '127.0.0.1', localAddress: '127.0.0.3' };
    const socket: Socket = tls
      ? connectTls({ ...to, ca: CA, servername: 'localhost', ALPNProtocols: ['h2'] })
      : connect(to);
    t.after(async () => {
      socket.destroy();
      await port.drain(0);
    });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(HELLO);
    await once(socket, 'data');
    socket.resume().write(Buffer.concat([settled, send]));
    await closed;
    assert.deepEqual(flooded, ['127.0.0.3']);
  });
}

test('of a rapid reset, no more is taken up than one read', async (t) => {
  let arrived = 0;
  const port = await openPort({
    host: '127.0.0.1',
    port: 0,
    handler: () => {},
    log: { warn() {}, error() {} },
    limits: { hastyBurst: 100 },
    onArrival: () => {
      arrived += 1;
    },
  });
  t.after(() => port.drain(0));
  const socket = connect(port.port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(HELLO);
  await once(socket, 'data');
  // So large that fewer than Node's own limit on resets fit into a read.
  const fields: Field[] = [...GET, ['x', 'x'.repeat(100)]];
  const resets = many(5000, (stream) => Buffer.concat([headers(stream, fields), cancel(stream)]));
  socket.resume().write(Buffer.concat([settled, resets]));
  await closed;
  const bytesEach = resets.length / 5000;
  assert.ok(arrived >= 100 && arrived * bytesEach <= 65_536, `${arrived} requests of ${bytesEach} bytes`);
});

test('a protocol error and many requests are not a flood', async (t) => {
  const flooded: unknown[] = [];
  const port = await openPort({
    host: '127.0.0.1',
    port: 0,
    handler: (_, response) => response.end(),
    log: { warn() {}, error() {} },
    limits: { busyPercent: 0, busyLook: 1 },
    onFlood: (socket) => flooded.push(socket),
  });
  t.after(() => port.drain(0));
  const socket = connect(port.port, '127.0.0.1');
  t.after(() => socket.destroy());
  // The last frame is a window update by 0, which is forbidden.
  const wrong = update(0);
  socket.write(HELLO);
  await once(socket, 'data');
  socket.resume().write(Buffer.concat([settled, many(200, get), wrong]));
  await once(socket, 'close');
  assert.deepEqual(flooded, []);
});

import {
  calling,
  cancel,
  type Field,
  FLAG,
  frame,
  GET,
  getting,
  hpack,
  PREFACE,
  setting,
  TYPE,
  uint32,
} from '../port/support/frames.ts';

/** Frames that an attacker sends on an HTTP/2 connection. */
export interface Flood {
  /** In place of the preface and empty SETTINGS. */
  readonly hello?: Buffer;
  /** Once, after it. */
  readonly open?: Buffer;
  /** Repeatedly; it uses this many streams, starting with the given one. */
  burst(stream: number): { readonly send: Buffer; readonly streams: number };
  /** It does not read. */
  readonly deaf?: true;
}

const RANGE = '/etcdserverpb.KV/Range';
const WATCH = '/etcdserverpb.Watch/Watch';

const repeat = (times: number, make: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: times }, (_, index) => make(index)));

/** Repeats the same frames, after request headers if they need them. */
function same(times: number, each: Uint8Array, open?: Buffer): Flood {
  const send = repeat(times, () => each);
  return { ...(open !== undefined && { open }), burst: () => ({ send, streams: 0 }) };
}

/** Opens streams and does something to each. */
function streams(times: number, make: (stream: number) => Uint8Array): Flood {
  return { burst: (first) => ({ send: repeat(times, (index) => make(first + 2 * index)), streams: times }) };
}

/** Returns request headers for any stream, encoded once. */
function head(fields: readonly Field[], flags: number = FLAG.END_HEADERS): (stream: number) => Buffer {
  const block = hpack(fields);
  return (stream) => frame(TYPE.HEADERS, flags, stream, block);
}

const whole = FLAG.END_HEADERS | FLAG.END_STREAM;
const version = head(getting('/version'), whole);
const page = head([...getting('/'), ['accept', 'text/html']], whole);
const range = head(calling(RANGE));
const watch = head(calling(WATCH));
const badName = head([...GET, ['Upper', 'x']], whole);
const manyFields = head([...GET, ...Array.from({ length: 200 }, (): Field => ['x', 'y'])], whole);
/** Puts x: aaa... (4000 bytes) into the dynamic table and references it this many times. */
const bomb = (stream: number, references: number): Buffer =>
  frame(
    TYPE.HEADERS,
    FLAG.END_HEADERS | FLAG.END_STREAM,
    stream,
    Buffer.concat([
      hpack(GET),
      Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]),
      Buffer.alloc(4000, 'a'),
      Buffer.alloc(references, 0xbe),
    ]),
  );
const noWindow = Buffer.concat([PREFACE, frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(4, 0))]);

export const FLOODS = {
  'rapid reset of plain requests': streams(300, (stream) => Buffer.concat([version(stream), cancel(stream)])),
  'rapid reset of gRPC calls': streams(300, (stream) => Buffer.concat([range(stream), cancel(stream)])),
  'rapid reset of gRPC watches': streams(300, (stream) => Buffer.concat([watch(stream), cancel(stream)])),
  // The service resets these streams, which a count of the client's resets would miss.
  'resets provoked by a window update of 0': streams(300, (stream) =>
    Buffer.concat([range(stream), frame(TYPE.WINDOW_UPDATE, FLAG.NONE, stream, uint32(0))]),
  ),
  'resets provoked by bad headers': streams(300, (stream) => badName(stream)),
  'resets provoked by too many headers': streams(30, (stream) => manyFields(stream)),
  'more streams than allowed': streams(300, (stream) => watch(stream)),
  pings: same(3000, frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8))),
  'pings without reading the responses': {
    ...same(3000, frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8))),
    deaf: true,
  },
  'unsolicited ping responses': same(3000, frame(TYPE.PING, FLAG.ACK, 0, Buffer.alloc(8))),
  'empty settings': same(3000, frame(TYPE.SETTINGS, FLAG.NONE, 0)),
  'settings that change the size of the table': same(
    1500,
    Buffer.concat([0, 4096].map((size) => frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(1, size)))),
  ),
  'CONTINUATION frames with headers': same(
    1000,
    frame(TYPE.CONTINUATION, FLAG.NONE, 1, hpack([['x', 'y']])),
    frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
  ),
  'empty CONTINUATION frames': same(
    3000,
    frame(TYPE.CONTINUATION, FLAG.NONE, 1),
    frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
  ),
  'window updates of the connection': same(3000, frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, uint32(1))),
  'window updates of a stream': same(3000, frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 1, uint32(1)), watch(1)),
  'priorities of missing streams': {
    burst: (first) => ({
      send: repeat(3000, (index) => frame(TYPE.PRIORITY, FLAG.NONE, first + 2 * index, Buffer.alloc(5))),
      streams: 0,
    }),
  },
  'empty DATA frames': same(3000, frame(TYPE.DATA, FLAG.NONE, 1), watch(1)),
  'padding without data': same(
    60,
    frame(TYPE.DATA, 8, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)])),
    range(1),
  ),
  'a body in single bytes': same(1000, frame(TYPE.DATA, FLAG.NONE, 1, Buffer.alloc(1)), range(1)),
  'frames of an unknown type': same(3000, frame(0x77, FLAG.NONE, 0, Buffer.alloc(4))),
  'push promises': same(100, frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(8)), watch(1)),
  'endless GOAWAY frames': same(3000, frame(TYPE.GOAWAY, FLAG.NONE, 0, Buffer.alloc(8))),
  // nghttp2 reports none of these: the service detects them as bytes without a request.
  'header lists of 30 MB in 12 kB': streams(10, (stream) => bomb(stream, 8000)),
  'header lists of 300 kB in 4 kB': streams(30, (stream) => bomb(stream, 75)),
  'data for closed streams': same(100, frame(TYPE.DATA, FLAG.NONE, 1, Buffer.alloc(100)), version(1)),
  'responses held back by a window of 0': {
    hello: noWindow,
    burst: (first) => ({
      send: repeat(20, (index) => page(first + 2 * index)),
      streams: 20,
    }),
  },
  'responses that are never read': {
    burst: (first) => ({
      send: repeat(20, (index) => page(first + 2 * index)),
      streams: 20,
    }),
    deaf: true,
  },
} satisfies Record<string, Flood>;

export type FloodName = keyof typeof FLOODS;

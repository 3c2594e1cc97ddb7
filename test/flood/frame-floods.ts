import {
  calling,
  ERROR,
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

/** What an attacker sends on a connection of HTTP/2. */
export interface Flood {
  /** In the place of the preface and empty SETTINGS. */
  readonly hello?: Buffer;
  /** Once, after it. */
  readonly open?: Buffer;
  /** Again and again; it uses so many streams from the one on. */
  burst(stream: number): { readonly send: Buffer; readonly streams: number };
  /** It reads nothing. */
  readonly deaf?: true;
}

const RANGE = '/etcdserverpb.KV/Range';
const WATCH = '/etcdserverpb.Watch/Watch';

const repeat = (times: number, make: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: times }, (_, index) => make(index)));

/** The same frames again and again, after the head of a request where they need one. */
function same(times: number, each: Uint8Array, open?: Buffer): Flood {
  const send = repeat(times, () => each);
  return { ...(open !== undefined && { open }), burst: () => ({ send, streams: 0 }) };
}

/** Streams, each opened and then something done to it. */
function streams(times: number, make: (stream: number) => Uint8Array): Flood {
  return { burst: (first) => ({ send: repeat(times, (index) => make(first + 2 * index)), streams: times }) };
}

/** The head of a request on any stream, coded once. */
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
const reset = (stream: number): Buffer => frame(TYPE.RST_STREAM, FLAG.NONE, stream, uint32(ERROR.CANCEL));
/** x: aaa... (4000 bytes) into the dynamic table, and then so many times from there. */
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
  'rapid reset of plain requests': streams(300, (stream) => Buffer.concat([version(stream), reset(stream)])),
  'rapid reset of gRPC calls': streams(300, (stream) => Buffer.concat([range(stream), reset(stream)])),
  'rapid reset of gRPC watches': streams(300, (stream) => Buffer.concat([watch(stream), reset(stream)])),
  // The service is made to reset the streams, which a count of the client's resets does not see.
  'resets provoked by a window update of 0': streams(300, (stream) =>
    Buffer.concat([range(stream), frame(TYPE.WINDOW_UPDATE, FLAG.NONE, stream, uint32(0))]),
  ),
  'resets provoked by bad headers': streams(300, (stream) => badName(stream)),
  'resets provoked by too many headers': streams(30, (stream) => manyFields(stream)),
  'more streams than are allowed': streams(300, (stream) => watch(stream)),
  pings: same(3000, frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8))),
  'pings, deaf to the answers': {
    ...same(3000, frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8))),
    deaf: true,
  },
  'answers to no ping': same(3000, frame(TYPE.PING, FLAG.ACK, 0, Buffer.alloc(8))),
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
  'priorities of streams that do not exist': {
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
  'promises of pushes': same(100, frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(8)), watch(1)),
  'goodbyes, and no end': same(3000, frame(TYPE.GOAWAY, FLAG.NONE, 0, Buffer.alloc(8))),
  // nghttp2 tells of none of them: they are seen for bytes of no request.
  'header lists of 30 MB in 12 kB': streams(10, (stream) => bomb(stream, 8000)),
  'header lists of 300 kB in 4 kB': streams(30, (stream) => bomb(stream, 75)),
  'data for streams that are over': same(100, frame(TYPE.DATA, FLAG.NONE, 1, Buffer.alloc(100)), version(1)),
  'answers that a window of 0 holds back': {
    hello: noWindow,
    burst: (first) => ({
      send: repeat(20, (index) => page(first + 2 * index)),
      streams: 20,
    }),
  },
  'answers that nobody reads': {
    burst: (first) => ({
      send: repeat(20, (index) => page(first + 2 * index)),
      streams: 20,
    }),
    deaf: true,
  },
} satisfies Record<string, Flood>;

export type FloodName = keyof typeof FLOODS;

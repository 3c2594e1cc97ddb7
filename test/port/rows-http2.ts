import {
  cancel,
  ERROR,
  type Field,
  FLAG,
  frame,
  GET,
  headers,
  hpack,
  PREFACE,
  setting,
  TYPE,
  uint32,
} from './support/frames.ts';

/** Frames for an HTTP/2 connection, and the expected result. */
export interface Http2Row {
  readonly name: string;
  /** Sent after the preface and SETTINGS. */
  readonly send: Uint8Array;
  /** Sent first, in place of the preface and empty SETTINGS. */
  readonly hello?: Uint8Array;
  /**
   * Matches what is received, in order and joined by spaces: `1:200` for a response, `1:reset(CANCEL)`,
   * `goaway(PROTOCOL_ERROR)`. Versions of nghttp2 differ in whether they reject with a reset or a goaway.
   */
  readonly hears: RegExp;
  /**
   * Whether the connection then serves another request or is closed; `either` if that depends on the nghttp2 version.
   */
  readonly next: 'kept' | 'closed' | 'either';
  /** Does not respond to the port's pings. */
  readonly deaf?: true;
  /** Requires the test's own handler. */
  readonly plain?: true;
}

const NONE = /^$/;
const RESET = /^1:reset\(PROTOCOL_ERROR\)$/;
const REFUSED = /^(1:400|1:reset\(PROTOCOL_ERROR\))$/;
const GOAWAY = /goaway\((?!NO_ERROR)[A-Z_]+\)/;
// The reason is lost if another write is in progress, or if a reset because of unread data overtakes it.
const CUT_OFF = /^$|goaway\((?!NO_ERROR)[A-Z_]+\)/;
const OK = /^1:200$/;

const repeat = (times: number, make: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: times }, (_, index) => make(index)));
const having = (changes: Readonly<Record<string, string>>): Field[] =>
  GET.map(([name, value]) => [name, changes[name] ?? value]);
const lacking = (name: string): Field[] => GET.filter(([other]) => other !== name);
const plus = (...more: Field[]): Field[] => [...GET, ...more];
const POST = having({ ':method': 'POST', ':path': '/body' });
const request = (fields: readonly Field[]): Buffer => headers(1, fields);
const upload = (fields: readonly Field[], ...data: string[]): Buffer =>
  Buffer.concat([
    headers(1, fields, FLAG.END_HEADERS),
    ...data.map((text, index) =>
      frame(TYPE.DATA, index === data.length - 1 ? FLAG.END_STREAM : FLAG.NONE, 1, Buffer.from(text)),
    ),
  ]);

const pseudoHeaders: readonly Http2Row[] = [
  { name: 'a plain request', send: request(GET), hears: OK, next: 'kept' },
  ...['a b', '1.2.3.4.5', 'u@a', 'a/b', '%zz', ''].map(
    (authority): Http2Row => ({
      name: `:authority ${authority === '' ? '(empty)' : authority}`,
      send: request(having({ ':authority': authority })),
      hears: REFUSED,
      next: 'kept',
    }),
  ),
  { name: 'no :authority', send: request(lacking(':authority')), hears: REFUSED, next: 'kept' },
  {
    name: 'Host in the place of :authority',
    send: request([...lacking(':authority'), ['host', 'a']]),
    hears: OK,
    next: 'kept',
  },
  {
    name: 'a Host that differs from :authority',
    send: request(plus(['host', 'b'])),
    hears: /^1:400$/,
    next: 'kept',
  },
  ...['', 'health', 'http://a/health', '*', '/a b', '/a\0b', '/a\xff', '/\xc3\xa9'].map(
    (path): Http2Row => ({
      name: `:path ${JSON.stringify(path)}`,
      send: request(having({ ':path': path })),
      hears: REFUSED,
      next: 'kept',
    }),
  ),
  {
    name: ':path without a slash, with another :scheme',
    send: request(having({ ':scheme': 'ftp', ':path': 'x' })),
    hears: REFUSED,
    next: 'kept',
  },
  {
    name: 'OPTIONS *',
    send: request(having({ ':method': 'OPTIONS', ':path': '*' })),
    hears: /^1:204$/,
    next: 'kept',
  },
  ...[':method', ':scheme', ':path'].map(
    (name): Http2Row => ({ name: `no ${name}`, send: request(lacking(name)), hears: RESET, next: 'kept' }),
  ),
  { name: 'a :method twice', send: request(plus([':method', 'GET'])), hears: RESET, next: 'kept' },
  { name: 'an invalid :method', send: request(having({ ':method': 'G T' })), hears: RESET, next: 'kept' },
  {
    name: 'a :method of 100 letters',
    send: request(having({ ':method': 'GET'.repeat(33) })),
    hears: REFUSED,
    next: 'kept',
  },
  { name: 'an unknown pseudo-header', send: request([[':x', 'y'], ...GET]), hears: RESET, next: 'kept' },
  {
    name: 'a pseudo-header after others',
    send: request([...GET.slice(0, 2), ['x', 'y'], ...GET.slice(2)]),
    hears: RESET,
    next: 'kept',
  },
  { name: ':status in a request', send: request(plus([':status', '200'])), hears: RESET, next: 'kept' },
  { name: 'an upper-case name', send: request(plus(['X', 'y'])), hears: RESET, next: 'kept' },
  { name: 'Connection', send: request(plus(['connection', 'close'])), hears: RESET, next: 'kept' },
  {
    name: 'Transfer-Encoding',
    send: request(plus(['transfer-encoding', 'chunked'])),
    hears: RESET,
    next: 'kept',
  },
  {
    name: 'CONNECT',
    send: request([
      [':method', 'CONNECT'],
      [':authority', 'a:443'],
    ]),
    hears: /^1:405$/,
    next: 'kept',
  },
  ...['a\0b', 'a\r\nx-smuggled: 1'].map(
    (value): Http2Row => ({
      name: `the value ${JSON.stringify(value)}, which does not reach the handler`,
      send: request([...having({ ':path': '/headers' }), ['x', value]]),
      hears: /^1:204$/,
      next: 'kept',
      plain: true,
    }),
  ),
  {
    name: '200 headers',
    send: request(plus(...Array.from({ length: 200 }, (): Field => ['x', 'y']))),
    hears: /^1:reset\(ENHANCE_YOUR_CALM\)$/,
    next: 'kept',
  },
  {
    name: 'a header list of 64 kB',
    send: Buffer.concat([
      frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
      repeat(4, () => frame(TYPE.CONTINUATION, FLAG.NONE, 1, hpack([['x', 'y'.repeat(16_000)]]))),
      frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1),
    ]),
    hears: /^1:431$/,
    next: 'kept',
  },
  {
    name: 'a header list of 30 MB in 12 kB',
    send: frame(
      TYPE.HEADERS,
      FLAG.END_HEADERS | FLAG.END_STREAM,
      1,
      Buffer.concat([
        hpack(GET),
        // Puts x: aaa... (4000 bytes) into the dynamic table and references it 8000 times.
        Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]),
        Buffer.alloc(4000, 'a'),
        Buffer.alloc(8000, 0xbe),
      ]),
    ),
    hears: /^1:reset\(ENHANCE_YOUR_CALM\)$/,
    next: 'kept',
  },
];

const bodies: readonly Http2Row[] = [
  {
    name: 'a body shorter than its length',
    send: upload([...POST, ['content-length', '5']], 'ab'),
    hears: /^(1:reset\(PROTOCOL_ERROR\)|goaway\([A-Z_]+\))$/,
    next: 'either',
  },
  {
    name: 'a body longer than its length',
    send: upload([...POST, ['content-length', '1']], 'abc'),
    // Node.js 22 sends both if it reaches the reset before the goaway.
    hears: /^(1:reset\(PROTOCOL_ERROR\)( goaway\([A-Z_]+\))?|goaway\([A-Z_]+\))$/,
    next: 'either',
  },
  {
    name: 'a length that is not a number',
    send: request([...GET, ['content-length', 'x']]),
    hears: RESET,
    next: 'kept',
  },
  {
    name: 'data after the end of the stream',
    send: Buffer.concat([request(GET), frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from('x'))]),
    hears: GOAWAY,
    next: 'closed',
  },
  {
    name: 'headers after the end of the stream',
    send: Buffer.concat([request(GET), request(GET)]),
    hears: GOAWAY,
    next: 'closed',
  },
  {
    name: 'a body that never comes',
    send: upload(POST),
    hears: /^1:reset\(CANCEL\)$/,
    next: 'kept',
    plain: true,
  },
  {
    name: 'a body that never comes, with a handler that does not read it',
    send: upload(having({ ':method': 'POST', ':path': '/unread' })),
    hears: /^1:204 1:reset\(NO_ERROR\)$/,
    next: 'kept',
    plain: true,
  },
  {
    name: 'twenty thousand empty DATA frames',
    send: Buffer.concat([upload(POST), repeat(20_000, () => frame(TYPE.DATA, FLAG.NONE, 1))]),
    hears: CUT_OFF,
    next: 'closed',
  },
];

const connectionErrors: ReadonlyArray<readonly [name: string, send: Uint8Array]> = [
  ['DATA on stream 0', frame(TYPE.DATA, FLAG.END_STREAM, 0, Buffer.from('x'))],
  ['DATA on an idle stream', frame(TYPE.DATA, FLAG.END_STREAM, 1, Buffer.from('x'))],
  ['HEADERS on stream 0', headers(0, GET)],
  ['HEADERS on a server stream', headers(2, GET)],
  ['HEADERS with a dependency on their own stream', dependentOnItself()],
  ['SETTINGS on a stream', frame(TYPE.SETTINGS, FLAG.NONE, 1)],
  ['SETTINGS of 7 bytes', frame(TYPE.SETTINGS, FLAG.NONE, 0, Buffer.alloc(7))],
  ['a settings acknowledgement with settings', frame(TYPE.SETTINGS, FLAG.ACK, 0, Buffer.alloc(6))],
  ['a window above 2^31', frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(4, 0xffff_ffff))],
  ['a frame size of 1', frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(5, 1))],
  ['a push setting of 7', frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(2, 7))],
  [
    'a hundred settings',
    frame(
      TYPE.SETTINGS,
      FLAG.NONE,
      0,
      repeat(100, () => setting(9, 1)),
    ),
  ],
  ['PING of 7 bytes', frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(7))],
  ['PING on a stream', frame(TYPE.PING, FLAG.NONE, 1, Buffer.alloc(8))],
  ['an unsolicited ping response', frame(TYPE.PING, FLAG.ACK, 0, Buffer.alloc(8))],
  ['WINDOW_UPDATE by 0', frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, uint32(0))],
  ['WINDOW_UPDATE above 2^31', frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, uint32(0x7fff_ffff))],
  ['WINDOW_UPDATE of 3 bytes', frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, Buffer.alloc(3))],
  ['WINDOW_UPDATE of an idle stream', frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 7, uint32(1))],
  ['PUSH_PROMISE from a client', frame(TYPE.PUSH_PROMISE, FLAG.END_HEADERS, 1, Buffer.alloc(8))],
  ['RST_STREAM on stream 0', frame(TYPE.RST_STREAM, FLAG.NONE, 0, uint32(ERROR.CANCEL))],
  ['RST_STREAM on an idle stream', frame(TYPE.RST_STREAM, FLAG.NONE, 1, uint32(ERROR.CANCEL))],
  ['CONTINUATION without HEADERS', frame(TYPE.CONTINUATION, FLAG.END_HEADERS, 1)],
  ['a frame of 20 kB', frame(TYPE.DATA, FLAG.NONE, 1, Buffer.alloc(20_000))],
  ['an announced frame of 16 MB', Buffer.from('ffffff000000000001', 'hex')],
  ['more padding than frame', frame(TYPE.DATA, 8, 1, Buffer.from([200, 1]))],
  ['an endless HPACK number', frame(TYPE.HEADERS, 5, 1, Buffer.alloc(20, 0xff))],
  ['HPACK index 0', frame(TYPE.HEADERS, 5, 1, Buffer.from([0x80]))],
  ['an oversized dynamic table', frame(TYPE.HEADERS, 5, 1, Buffer.from([0x3f, 0xff, 0xff, 0xff, 0x7f]))],
];

function dependentOnItself(): Buffer {
  const payload = Buffer.concat([uint32(1), Buffer.from([0]), hpack(GET)]);
  return frame(TYPE.HEADERS, 0x20 | FLAG.END_HEADERS | FLAG.END_STREAM, 1, payload);
}

const floods: ReadonlyArray<readonly [name: string, send: Uint8Array]> = [
  ['pings', repeat(100_000, () => frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8)))],
  ['settings', repeat(100_000, () => frame(TYPE.SETTINGS, FLAG.NONE, 0))],
  [
    'CONTINUATION frames',
    Buffer.concat([
      frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
      repeat(2000, () => frame(TYPE.CONTINUATION, FLAG.NONE, 1, hpack([['x', 'y']]))),
    ]),
  ],
  [
    'empty CONTINUATION frames',
    Buffer.concat([
      frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
      repeat(100_000, () => frame(TYPE.CONTINUATION, FLAG.NONE, 1)),
    ]),
  ],
  // More than the limit between two sweeps for frames other than requests.
  ['window updates', repeat(250_000, () => frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 0, uint32(1)))],
  ['priorities', repeat(250_000, () => frame(TYPE.PRIORITY, FLAG.NONE, 3, Buffer.alloc(5)))],
  ['frames of an unknown type', repeat(250_000, () => frame(0x77, FLAG.NONE, 0, Buffer.alloc(4)))],
  [
    'streams opened and reset (rapid reset)',
    repeat(600, (index) => Buffer.concat([headers(2 * index + 1, GET), cancel(2 * index + 1)])),
  ],
];

const connections: readonly Http2Row[] = [
  { name: 'a preface and silence, with ping responses', send: Buffer.alloc(0), hears: NONE, next: 'kept' },
  {
    name: 'a preface without SETTINGS, then another frame',
    hello: PREFACE,
    send: frame(TYPE.PING, FLAG.NONE, 0, Buffer.alloc(8)),
    hears: GOAWAY,
    next: 'closed',
  },
  ...connectionErrors.map(([name, send]): Http2Row => ({ name, send, hears: GOAWAY, next: 'closed' })),
  ...floods.map(
    ([name, send]): Http2Row => ({ name: `a flood of ${name}`, send, hears: CUT_OFF, next: 'closed' }),
  ),
  {
    name: 'a flood of streams above the limit',
    send: repeat(1500, (index) => headers(2 * index + 1, POST, FLAG.END_HEADERS)),
    hears: CUT_OFF,
    next: 'closed',
    plain: true,
  },
  {
    name: 'a stream window above 2^31',
    send: Buffer.concat([upload(POST), frame(TYPE.WINDOW_UPDATE, FLAG.NONE, 1, uint32(0x7fff_ffff))]),
    hears: /FLOW_CONTROL_ERROR/,
    next: 'closed',
  },
  {
    name: 'an unanswered ping',
    send: Buffer.alloc(0),
    hears: /^(goaway\(NO_ERROR\))?$/,
    next: 'closed',
    deaf: true,
  },
  {
    name: 'an unanswered ping with an open request',
    send: request(having({ ':path': '/never' })),
    hears: /^(1:reset\(CANCEL\) )?(goaway\(NO_ERROR\))?$/,
    next: 'closed',
    deaf: true,
    plain: true,
  },
  {
    name: 'half of the headers, then silence',
    send: frame(TYPE.HEADERS, FLAG.END_STREAM, 1, hpack(GET)),
    hears: /^(goaway\(NO_ERROR\))?$/,
    next: 'closed',
    deaf: true,
  },
  {
    name: 'half a frame, then silence',
    send: Buffer.from([0, 0, 20, TYPE.HEADERS]),
    hears: /^(goaway\(NO_ERROR\))?$/,
    next: 'closed',
    deaf: true,
  },
  {
    name: 'a client that sends GOAWAY with an open request',
    send: Buffer.concat([request(GET), frame(TYPE.GOAWAY, FLAG.NONE, 0, Buffer.alloc(8))]),
    hears: /1:200/,
    next: 'closed',
  },
  {
    name: 'an unknown setting',
    send: frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(0x99, 1)),
    hears: NONE,
    next: 'kept',
  },
  { name: 'an unknown frame', send: frame(0x77, 0, 0, Buffer.alloc(4)), hears: NONE, next: 'kept' },
  {
    name: 'PRIORITY of an idle stream',
    send: frame(TYPE.PRIORITY, FLAG.NONE, 3, Buffer.alloc(5)),
    hears: NONE,
    next: 'kept',
  },
  {
    name: 'a window of 0 for a response that is never read',
    send: Buffer.concat([
      frame(TYPE.SETTINGS, FLAG.NONE, 0, setting(4, 0)),
      request(having({ ':path': '/large' })),
    ]),
    hears: /^1:200 1:reset\(CANCEL\)$/,
    next: 'kept',
    plain: true,
  },
];

export const HTTP2_ROWS: readonly Http2Row[] = [...pseudoHeaders, ...bodies, ...connections];

/** Rows that may not receive a reason: another test checks that they usually do. */
export const FLOOD_ROWS = HTTP2_ROWS.filter(({ hears }) => hears === CUT_OFF);

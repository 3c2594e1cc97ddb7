/** Raw HTTP/2 frames (RFC 9113), with which tests can send what no client would. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { NONE: 0, ACK: 1, END_STREAM: 1, END_HEADERS: 4 } as const;

export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export type Field = readonly [name: string, value: string];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Returns all complete frames at the beginning of the bytes. */
export function parseFrames(heard: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 9 <= heard.length; ) {
    const end = at + 9 + heard.readUIntBE(at, 3);
    if (end > heard.length) break;
    const [type, flags, stream] = [
      heard.readUInt8(at + 3),
      heard.readUInt8(at + 4),
      heard.readUInt32BE(at + 5),
    ];
    frames.push({ type, flags, stream, payload: heard.subarray(at + 9, end) });
    at = end;
  }
  return frames;
}

/** The preface and an empty SETTINGS frame, which every client sends first. */
export const HELLO = Buffer.concat([PREFACE, frame(TYPE.SETTINGS, FLAG.NONE, 0)]);

/** Returns one setting of a SETTINGS frame. */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Encodes fields as uncompressed HPACK literals that are never indexed. */
export function hpack(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0x10]), text(name), text(value)]));
}

/** Encodes an HPACK string: its length as a prefixed integer (RFC 7541, 5.1), then its bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length: number[] = [];
  let left = bytes.length;
  if (left < 127) length.push(left);
  else {
    length.push(127);
    for (left -= 127; left >= 128; left >>= 7) length.push((left & 127) | 128);
    length.push(left);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** The fields of a plain GET request. */
export const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/health'],
  [':authority', '127.0.0.1'],
];

/** Returns the fields of a GET request for another path. */
export const getting = (path: string): Field[] =>
  GET.map(([name, value]) => [name, name === ':path' ? path : value]);

/** Returns the fields of a gRPC call. */
export const calling = (path: string): Field[] => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', '127.0.0.1'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

export function headers(
  stream: number,
  fields: readonly Field[],
  flags: number = FLAG.END_HEADERS | FLAG.END_STREAM,
): Buffer {
  return frame(TYPE.HEADERS, flags, stream, hpack(fields));
}

/** Returns the status in a response's HEADERS frame: an entry of HPACK's static table, or a literal with its name. */
export function statusOf({ payload }: Frame): number | undefined {
  const [first = 0, length] = payload;
  if (first >= 0x88 && first <= 0x8e) return [200, 204, 206, 304, 400, 404, 500][first - 0x88];
  return (first & 0x0f) === 8 && length === 3 ? Number(payload.toString('latin1', 2, 5)) : undefined;
}

/** Returns the frame with which a client cancels a stream. */
export function cancel(stream: number): Buffer {
  return frame(TYPE.RST_STREAM, FLAG.NONE, stream, uint32(ERROR.CANCEL));
}

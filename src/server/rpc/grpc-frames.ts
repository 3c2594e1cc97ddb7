// gRPC's framing of messages: a byte that says whether the message is compressed, four bytes of length, and
// the message.

import type { ServerHttp2Stream } from 'node:http2';
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';

const PREFIX_BYTES = 5;
/** The flag of a compressed message. */
const COMPRESSED = 1;
const NO_BYTES = new Uint8Array();

export function frameOf(desc: DescMessage, message: MessageShape<DescMessage>): Buffer {
  const bytes = toBinary(desc, message);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, PREFIX_BYTES);
  return frame;
}

/** Frames of messages that several calls may get. Larger ones would fill the memory. */
const frames = new WeakMap<object, Buffer>();
const KEPT_BYTES = 4096;

/** Returns the frame of a message that is shared as long as nothing changes. It is serialised once. */
export function sharedFrameOf(desc: DescMessage, message: MessageShape<DescMessage>): Buffer {
  const known = frames.get(message);
  if (known !== undefined) return known;
  const frame = frameOf(desc, message);
  if (frame.length > KEPT_BYTES) return frame;
  // A copy, because Node allocates small buffers from larger ones, which it would hold.
  const kept = Buffer.allocUnsafeSlow(frame.length);
  kept.set(frame);
  frames.set(message, kept);
  return kept;
}

/** Reads the whole body, or more than a message may have. Never resolves if the client disconnects before. */
export function readGrpcBody(stream: ServerHttp2Stream, readMaxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let body: Uint8Array = new Uint8Array();
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      // Nearly every body is one chunk. The chunks of others are copied, because a byte may hold the memory
      // of a whole read.
      body = length === 0 ? chunk : joined(body, length, chunk);
      length += chunk.length;
      if (length <= PREFIX_BYTES + readMaxBytes) return;
      stream.removeAllListeners('data').resume();
      resolve(body.subarray(0, length));
    });
    stream.on('end', () => resolve(length === body.length ? body : body.subarray(0, length)));
    // In a call that had to wait, an empty body has ended by now, without a further event.
    if (stream.readableEnded) resolve(body);
  });
}

/** FrameSplitter splits a body that arrives in pieces into messages. Its errors are the same as Connect's. */
export class FrameSplitter {
  readonly #readMaxBytes: number;
  #bytes: Uint8Array = NO_BYTES;
  #length = 0;

  constructor(readMaxBytes: number) {
    this.#readMaxBytes = readMaxBytes;
  }

  /** Whether there are bytes of an incomplete message. */
  get hasRest(): boolean {
    return this.#length > 0;
  }

  add(chunk: Uint8Array): void {
    this.#bytes = this.#length === 0 ? chunk : joined(this.#bytes, this.#length, chunk);
    this.#length += chunk.length;
  }

  /** Returns the bytes of the next complete message, if there is one. Throws if it is too large or compressed. */
  next(): Uint8Array | undefined {
    if (this.#length < PREFIX_BYTES) return undefined;
    const { buffer, byteOffset } = this.#bytes;
    const size = new DataView(buffer, byteOffset).getUint32(1);
    if (size > this.#readMaxBytes) {
      const words = `message size ${size} is larger than configured readMaxBytes ${this.#readMaxBytes}`;
      throw new ConnectError(words, Code.ResourceExhausted);
    }
    const end = PREFIX_BYTES + size;
    if (this.#length < end) return undefined;
    const isCompressed = ((this.#bytes[0] ?? 0) & COMPRESSED) !== 0;
    // A copy, because a message's bytes refer to it, and it may hold the memory of a whole read.
    const message = new Uint8Array(this.#bytes.subarray(PREFIX_BYTES, end));
    this.#length -= end;
    this.#bytes = this.#length === 0 ? NO_BYTES : this.#bytes.subarray(end);
    if (!isCompressed) return message;
    const words = 'received compressed envelope, but do not know how to decompress';
    throw new ConnectError(words, Code.Internal);
  }
}

/** Doubles the capacity when it is used up, so that many small chunks cost no more than few large ones. */
function joined(body: Uint8Array, length: number, chunk: Uint8Array): Uint8Array {
  let room = body;
  if (length + chunk.length > body.length) {
    room = new Uint8Array(2 * (length + chunk.length));
    room.set(body.subarray(0, length));
  }
  room.set(chunk, length);
  return room;
}

/** Decode decodes a message, or throws. */
export type Decode = (bytes: Uint8Array) => MessageShape<DescMessage>;

/** Returns the message of a body that is exactly one message, neither compressed nor too large. */
export function onlyMessage(
  decode: Decode,
  body: Uint8Array,
  readMaxBytes: number,
): MessageShape<DescMessage> | undefined {
  const { buffer, byteOffset, length } = body;
  if (length < PREFIX_BYTES || body[0] !== 0) return undefined;
  const size = new DataView(buffer, byteOffset).getUint32(1);
  if (size > readMaxBytes || size !== length - PREFIX_BYTES) return undefined;
  try {
    return decode(new Uint8Array(buffer, byteOffset + PREFIX_BYTES, size));
  } catch {
    return undefined;
  }
}

// gRPC's framing of messages: a byte that says whether the message is compressed, four bytes of length, and
// the message.

import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Http2Call } from '../../port/port.ts';
import { joined, readWhole } from './read-whole.ts';
import type { Decode } from './repeated.ts';

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

/** Reads the body of a call with one message, or more than one may have. See `readWhole`. */
export function readOne({ stream }: Http2Call, readMaxBytes: number): Promise<Uint8Array> {
  return readWhole(stream, PREFIX_BYTES + readMaxBytes);
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

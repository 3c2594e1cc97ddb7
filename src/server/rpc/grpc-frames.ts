// Messages as gRPC frames them: a byte that says whether it is compressed, four of its length, and the message.

import type { Http2ServerRequest } from 'node:http2';
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';

const PREFIX_BYTES = 5;

export function frameOf(desc: DescMessage, message: MessageShape<DescMessage>): Buffer {
  const bytes = toBinary(desc, message);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length);
  frame[0] = 0;
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, PREFIX_BYTES);
  return frame;
}

/** All of a body, or more than a message may have. Never resolves when the client goes away before. */
export function readBody({ stream }: Http2ServerRequest, readMaxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let body: Uint8Array = new Uint8Array();
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      // Nearly every body comes in one piece. Of others each is copied, as a byte may hold a whole read's memory.
      body = length === 0 ? chunk : joined(body, length, chunk);
      length += chunk.length;
      if (length <= PREFIX_BYTES + readMaxBytes) return;
      stream.removeAllListeners('data').resume();
      resolve(body.subarray(0, length));
    });
    stream.once('end', () => resolve(body.subarray(0, length)));
    // Of a call that had to wait, an empty one has ended by now, and nobody tells of it again.
    if (stream.readableEnded) resolve(body);
  });
}

/** With room for as much again when there was none: many small pieces cost no more than few large ones. */
function joined(body: Uint8Array, length: number, chunk: Uint8Array): Uint8Array {
  let room = body;
  if (length + chunk.length > body.length) {
    room = new Uint8Array(2 * (length + chunk.length));
    room.set(body.subarray(0, length));
  }
  room.set(chunk, length);
  return room;
}

/** The message of a body that is one message, not compressed and not too large, and nothing else. */
export function onlyMessage(
  desc: DescMessage,
  body: Uint8Array,
  readMaxBytes: number,
): MessageShape<DescMessage> | undefined {
  const { buffer, byteOffset, length } = body;
  if (length < PREFIX_BYTES || body[0] !== 0) return undefined;
  const size = new DataView(buffer, byteOffset).getUint32(1);
  if (size > readMaxBytes || size !== length - PREFIX_BYTES) return undefined;
  try {
    return fromBinary(desc, new Uint8Array(buffer, byteOffset + PREFIX_BYTES, size));
  } catch {
    return undefined;
  }
}

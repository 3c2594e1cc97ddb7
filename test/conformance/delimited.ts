import type { Readable } from 'node:stream';

/** Returns the first message of a stream on which a size of four bytes precedes each message. */
export async function readDelimited(stream: Readable): Promise<Uint8Array> {
  let read: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    read = Buffer.concat([read, chunk as Uint8Array]);
    if (read.length < 4) continue;
    const end = 4 + read.readUInt32BE();
    if (read.length >= end) return read.subarray(4, end);
  }
  throw new Error('the stream ended within its first message');
}

export function delimited(message: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(message.length);
  return Buffer.concat([size, message]);
}

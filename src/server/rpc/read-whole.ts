import type { Readable } from 'node:stream';
import type { PortRequest } from '../../port/port.ts';

const NOTHING = new Uint8Array();

/** Returns the body of a request over HTTP/1.1, if all of it has come: nearly always, as it comes with the head. */
export function bodyOf(request: PortRequest): Uint8Array | undefined {
  if ('stream' in request || !request.complete) return undefined;
  return (request.read() as Buffer | null) ?? NOTHING;
}

/**
 * Reads a whole body, or until it has more than `maxBytes`. Never resolves if the client disconnects before.
 */
export function readWhole(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let body: Uint8Array = NOTHING;
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      // Nearly every body is one chunk. The chunks of others are copied, because a byte may hold the memory
      // of a whole read.
      body = length === 0 ? chunk : joined(body, length, chunk);
      length += chunk.length;
      if (length <= maxBytes) return;
      stream.removeAllListeners('data').resume();
      resolve(body.subarray(0, length));
    });
    stream.on('end', () => resolve(length === body.length ? body : body.subarray(0, length)));
    // In a call that had to wait, an empty body has ended by now, without a further event.
    if (stream.readableEnded) resolve(body);
  });
}

/** Doubles the capacity when it is used up, so that many small chunks cost no more than few large ones. */
export function joined(body: Uint8Array, length: number, chunk: Uint8Array): Uint8Array {
  let room = body;
  if (length + chunk.length > body.length) {
    room = new Uint8Array(2 * (length + chunk.length));
    room.set(body.subarray(0, length));
  }
  room.set(chunk, length);
  return room;
}

import { crc32 } from 'node:zlib';
import { damagedRecord } from './check/refusals.ts';

// LMDB has no checksums. Each record begins with one, of its key and its value: a record that stands where another one
// belongs is as wrong as one with a changed bit. It is against accidents, and not against people.

const SUM_BYTES = 4;

/** Of what a key is in words, and of a value. */
export function sumOf(key: string, body: Uint8Array | string = ''): number {
  return crc32(body, crc32(key));
}

export function seal(key: string, body: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(SUM_BYTES + body.length);
  sealed.writeUInt32LE(sumOf(key, body), 0);
  sealed.set(body, SUM_BYTES);
  return sealed;
}

/** What was sealed under this key. Throws when it is anything else. */
export function unseal(key: string, sealed: Buffer): Buffer {
  const body = sealed.subarray(SUM_BYTES);
  if (sealed.length > SUM_BYTES && sealed.readUInt32LE(0) === sumOf(key, body)) return body;
  throw damagedRecord('a record does not fit its checksum');
}

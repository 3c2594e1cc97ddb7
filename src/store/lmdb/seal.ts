import { crc32 } from 'node:zlib';
import { damagedRecord } from './check/refusals.ts';

// LMDB has no checksums. Each record starts with one over its key and value, so a record in another's place
// is detected like a flipped bit. It protects against accidents, not against attackers.

const SUM_BYTES = 4;

/** Returns the checksum of a key in text form, and of a value. */
export function sumOf(key: string, body: Uint8Array | string = ''): number {
  return crc32(body, crc32(key));
}

export function seal(key: string, body: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(SUM_BYTES + body.length);
  sealed.writeUInt32LE(sumOf(key, body), 0);
  sealed.set(body, SUM_BYTES);
  return sealed;
}

/** Returns the value sealed under this key. Throws for anything else. */
export function unseal(key: string, sealed: Buffer): Buffer {
  const body = sealed.subarray(SUM_BYTES);
  if (sealed.length > SUM_BYTES && sealed.readUInt32LE(0) === sumOf(key, body)) return body;
  throw damagedRecord('a record does not match its checksum');
}

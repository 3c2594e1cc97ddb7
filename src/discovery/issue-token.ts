import { randomFillSync } from 'node:crypto';
import type { Token } from './types.ts';

const TOKEN_BYTES = 16;
// Asked of the system for many tokens at once, as each call takes longer than all else of making one.
const random = Buffer.alloc(256 * TOKEN_BYTES);
let randomUsed = random.length;

/** How long new tokens begin alike: at 10,000 a second, 625 of them, which is a few pages of the embedded store. */
const ALIKE_MS = 62.5;

/**
 * A new token: 16 bits of the time, and 112 random ones. By the time, those that are made and used together are
 * neighbours on disk, so that their writes change the same pages. It comes round again every 68 minutes.
 */
export function issueToken(): Token {
  if (randomUsed === random.length) {
    randomFillSync(random);
    randomUsed = 0;
  }
  const begin = randomUsed;
  randomUsed += TOKEN_BYTES;
  random.writeUInt16BE(Math.floor(Date.now() / ALIKE_MS) & 0xffff, begin);
  return random.toString('hex', begin, randomUsed) as Token;
}

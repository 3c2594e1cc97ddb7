import { randomFillSync } from 'node:crypto';
import type { Token } from './types.ts';

const TOKEN_BYTES = 16;
// Random bytes are requested for many tokens at once, because each request takes longer than the rest of
// creating a token.
const random = Buffer.alloc(256 * TOKEN_BYTES);
let randomUsed = random.length;

/**
 * How long new tokens share their first digits. At 10,000 tokens a second these are 625 tokens, a few pages
 * of the embedded store.
 */
const ALIKE_MS = 62.5;

/**
 * Returns a new token: 16 bits of the time and 112 random bits. The time makes tokens that are created and
 * used together neighbours on disk, so that their writes change the same pages. The 16 bits repeat every 68
 * minutes.
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

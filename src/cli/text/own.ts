import { randomBytes } from 'node:crypto';

// What this process writes to steer a terminal is marked with what no other text can hold: the rest is made harmless
// where it leaves.
const MARK = randomBytes(12).toString('hex');

/** What acts on a terminal, ends a line, or turns its direction. */
const UNFIT = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const MARKED = new RegExp(`\\x1b${MARK}([A-Za-z0-9;]+);|(?![\\n\\t])${UNFIT.source}`, 'gu');

/** A control sequence of ours, like `1m` for bold. It stands for nothing until `forTerminal` has seen it. */
export function control(sequence: string): string {
  return `\x1b${MARK}${sequence};`;
}

/** Takes back what is drawn on the line where the cursor is. */
export const ERASE_LINE = control('K');

/** A text as it may leave: with our own control sequences, and all others written out. */
export function forTerminal(text: string): string {
  return text.replace(MARKED, (found: string, sequence: string | undefined) => {
    if (sequence === undefined) return `\\u{${found.codePointAt(0)?.toString(16)}}`;
    return sequence === 'K' ? '\r\x1b[K' : `\x1b[${sequence}`;
  });
}

// Control sequences of this process are marked with a text that no other text can contain; all others are
// escaped on output. The mark is created with the first sequence, because loading Node.js' crypto is a third
// of the start of a short command.
let mark: string | undefined;
let marked = patternWith('(?!)');

function markOf(): string {
  if (mark === undefined) {
    mark = process.getBuiltinModule('node:crypto').randomBytes(12).toString('hex');
    marked = patternWith(mark);
  }
  return mark;
}

/** Matches what controls a terminal, ends a line, or changes its direction. */
function patternWith(text: string): RegExp {
  const unfit = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
  return new RegExp(`\\x1b${text}([A-Za-z0-9;]+);|(?![\\n\\t])${unfit.source}`, 'gu');
}

/**
 * Returns a control sequence of ours, such as `1m` for bold. It has no effect until `forTerminal` recognises
 * it.
 */
export function control(sequence: string): string {
  return `\x1b${markOf()}${sequence};`;
}

/** Erases the line that the cursor is on. */
export const eraseLine = (): string => control('K');

/** Returns a text for output: with our own control sequences, and all others escaped. */
export function forTerminal(text: string): string {
  return text.replace(marked, (found: string, sequence: string | undefined) => {
    if (sequence === undefined) return `\\u{${found.codePointAt(0)?.toString(16)}}`;
    return sequence === 'K' ? '\r\x1b[K' : `\x1b[${sequence}`;
  });
}

// What this process writes to steer a terminal is marked with what no other text can hold: the rest is made harmless
// where it leaves. The mark is made with the first such sequence: Node.js' crypto is a third of a short command's start.
let mark: string | undefined;
let marked = patternWith('(?!)');

function markOf(): string {
  if (mark === undefined) {
    mark = process.getBuiltinModule('node:crypto').randomBytes(12).toString('hex');
    marked = patternWith(mark);
  }
  return mark;
}

/** What acts on a terminal, ends a line, or turns its direction. */
function patternWith(text: string): RegExp {
  const unfit = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
  return new RegExp(`\\x1b${text}([A-Za-z0-9;]+);|(?![\\n\\t])${unfit.source}`, 'gu');
}

/** A control sequence of ours, like `1m` for bold. It stands for nothing until `forTerminal` has seen it. */
export function control(sequence: string): string {
  return `\x1b${markOf()}${sequence};`;
}

/** Takes back what is drawn on the line where the cursor is. */
export const eraseLine = (): string => control('K');

/** A text as it may leave: with our own control sequences, and all others written out. */
export function forTerminal(text: string): string {
  return text.replace(marked, (found: string, sequence: string | undefined) => {
    if (sequence === undefined) return `\\u{${found.codePointAt(0)?.toString(16)}}`;
    return sequence === 'K' ? '\r\x1b[K' : `\x1b[${sequence}`;
  });
}

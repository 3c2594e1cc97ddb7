import { UNPRINTABLE } from '../../values/quote.ts';
import { randomBytes } from '../../values/random.ts';

/** OwnSequences are the control sequences of one terminal, which no external text can contain. */
export interface OwnSequences {
  /** Returns a control sequence, such as `1m` for bold. It has no effect until `forTerminal` recognises it. */
  readonly control: (sequence: string) => string;
  /** Returns a text for output: with our own control sequences, and all others escaped. */
  readonly forTerminal: (text: string) => string;
}

/** Our own sequences are marked with a text that is created with the first of them. */
export function ownSequences(): OwnSequences {
  let mark: string | undefined;
  return {
    control(sequence) {
      mark ??= randomBytes(12).toString('hex');
      return `\x1b${mark}${sequence};`;
    },
    forTerminal(text) {
      // Most texts. To compile the pattern of the others takes longer than the rest of the output.
      if (/^[\x20-\x7e\n\t]*$/.test(text)) return text;
      return text.replace(patternWith(mark ?? '(?!)'), (found: string, sequence: string | undefined) => {
        if (sequence === undefined) return `\\u{${found.codePointAt(0)?.toString(16)}}`;
        return sequence === 'K' ? '\r\x1b[K' : `\x1b[${sequence}`;
      });
    },
  };
}

/** Matches what controls a terminal, ends a line, or changes its direction. */
function patternWith(text: string): RegExp {
  return new RegExp(`\\x1b${text}([A-Za-z0-9;]+);|(?![\\n\\t])${UNPRINTABLE}`, 'gu');
}

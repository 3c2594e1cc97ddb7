import type { BareTerminal, StatusLine, Terminal } from '../command.ts';
import { ownSequences } from './own.ts';

/**
 * Returns the terminal that commands use. All output passes through it: external texts cannot control the
 * terminal, and the status line is erased first so that it is never mixed with a result, on either stream.
 */
export function withStatusLine(bare: BareTerminal): Terminal {
  const { control, forTerminal } = ownSequences();
  const eraseLine = (): string => control('K');
  let drawn: { readonly stream: 'out' | 'err'; readonly text: string } | undefined;
  const erase = (): void => {
    if (drawn !== undefined) bare[drawn.stream](forTerminal(eraseLine()));
    drawn = undefined;
  };
  const status: StatusLine = {
    canShow: (stream) => bare.columns(stream) !== undefined && bare.env['TERM'] !== 'dumb',
    show(stream, text, style = (plain) => plain) {
      // One column stays free: a full line would wrap, and only its last part would be erased.
      const cut = text.slice(0, Math.max(0, (bare.columns(stream) ?? 0) - 1));
      if (!status.canShow(stream) || (drawn?.stream === stream && drawn.text === cut)) return;
      bare[stream](forTerminal(`${eraseLine()}${style(cut)}`));
      drawn = { stream, text: cut };
    },
    erase,
    leave() {
      if (drawn !== undefined) bare[drawn.stream]('\n');
      drawn = undefined;
    },
  };
  return {
    env: bare.env,
    columns: bare.columns,
    control,
    out(text) {
      erase();
      bare.out(forTerminal(text));
    },
    err(text) {
      erase();
      bare.err(forTerminal(text));
    },
    get ask() {
      const asked = bare.ask;
      if (asked === undefined) return undefined;
      return (question: string) => {
        erase();
        return asked(forTerminal(question));
      };
    },
    status,
  };
}

import type { AnyFlag } from '../settings/tables/flag.ts';

/** BareTerminal is the process's terminal, or its files and pipes. */
export interface BareTerminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Returns the width of the terminal of a stream. Undefined for a file or a pipe. */
  readonly columns: (stream: 'out' | 'err') => number | undefined;
  /** Asks the user at the terminal, on standard error. Undefined without a user. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

/** StatusLine is one line that is redrawn below all others. */
export interface StatusLine {
  /** Whether the stream can show it: it is a terminal that can erase a line. */
  readonly canShow: (stream: 'out' | 'err') => boolean;
  /** Draws the text, cut to the width of the terminal. Writes nothing if the stream cannot show it. */
  readonly show: (stream: 'out' | 'err', text: string, style?: (text: string) => string) => void;
  readonly erase: () => void;
  /** Leaves the drawn line in place and starts a new one. */
  readonly leave: () => void;
}

/** Terminal is where a command reads and writes. */
export interface Terminal extends BareTerminal {
  readonly status: StatusLine;
  /** Returns a control sequence that takes effect in an output, such as `1m` for bold; all others are escaped. */
  readonly control: (sequence: string) => string;
}

/** Command is one row of the table in catalog.ts. The list of commands and the completion are derived from it. */
export interface Command {
  readonly name: string;
  /** The group in the list of commands. */
  readonly group: 'Service' | 'Data' | 'Tokens' | 'Nodes' | 'Shell';
  readonly summary: string;
  readonly flags: readonly AnyFlag[];
  /** The kind of the first argument: one of these words, or a file. Undefined: a shell cannot complete it. */
  readonly argument?: readonly string[] | 'FILE';
  /** Runs with the arguments after the name, and returns the exit code. It also handles `--help`. */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}

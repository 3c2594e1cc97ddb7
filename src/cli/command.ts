import type { AnyFlag } from '../settings/tables/flag.ts';

/** The terminal, or the files and pipes, that a process has. */
export interface BareTerminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The width of the terminal that a stream goes to; undefined when it goes to a file or a pipe. */
  readonly columns: (stream: 'out' | 'err') => number | undefined;
  /** Asks the person at the terminal, on standard error. Undefined when there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

/** One line that is drawn over again, below all others. */
export interface StatusLine {
  /** Whether the stream can show one: it goes to a terminal that can erase a line. */
  readonly canShow: (stream: 'out' | 'err') => boolean;
  /** Draws the text, cut to the width of the terminal. Where it cannot be shown nothing is written. */
  readonly show: (stream: 'out' | 'err', text: string, style?: (text: string) => string) => void;
  readonly erase: () => void;
  /** Leaves what is drawn where it is, on a line of its own. */
  readonly leave: () => void;
}

/** Where a command reads and writes. */
export interface Terminal extends BareTerminal {
  readonly status: StatusLine;
}

/** A command: one row of the table in catalog.ts. The list of commands and the completion are made from it. */
export interface Command {
  readonly name: string;
  /** What the command is about; the list of commands is grouped by it. */
  readonly group: 'Service' | 'Data' | 'Tokens' | 'Nodes' | 'Shell';
  readonly summary: string;
  readonly flags: readonly AnyFlag[];
  /** What its first argument is: one of some words, or a file. Undefined: nothing that a shell can complete. */
  readonly argument?: readonly string[] | 'FILE';
  /** Gets what follows the name, and returns the exit code. `--help` is its own to answer. */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}

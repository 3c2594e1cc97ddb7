import type { AnyFlag } from '../settings/tables/flag.ts';

/** Where a command reads and writes. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** The width of the terminal that a stream goes to; undefined when it goes to a file or a pipe. */
  readonly columns: (stream: 'out' | 'err') => number | undefined;
  /** Asks the person at the terminal, on standard error. Undefined when there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

/** A command: one row of the table in commands.ts. The list of commands and the completion are made from it. */
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

import { DiscoveryError } from '../../discovery/errors.ts';
import { counted } from '../../values/counted.ts';
import type { Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { jsonLine } from '../output.ts';
import { problemOutput } from '../problem-output.ts';

/**
 * The number of problems reported one by one, so that thoroughly damaged data does not flood the terminal.
 */
const PROBLEMS_TOLD = 100;

/** Report prints what a command about data has to say: lines for people, or one line of JSON for programs. */
export class Report {
  readonly json: boolean;
  readonly #terminal: Terminal;
  readonly #problems: string[] = [];
  #more = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.json = json;
  }

  /** Prints log lines of a store. */
  readonly log = (text: string): void => this.#terminal.err(text);

  /** Reports a problem with the data. The command continues. */
  problem(line: string): void {
    if (this.#problems.length === PROBLEMS_TOLD) this.#more += 1;
    else {
      this.#problems.push(line);
      if (!this.json) this.#terminal.err(`${line}\n`);
    }
  }

  /** Reports the result with the first problems: on standard error if the data goes to standard output. */
  result(lines: readonly string[], fields: object, to: 'out' | 'err' = 'out'): void {
    if (this.#more > 0 && !this.json) this.#terminal.err(`... and ${this.#more} more\n`);
    const json = { ...fields, problemCount: this.#problems.length + this.#more, problems: this.#problems };
    this.#terminal[to](this.json ? jsonLine(json) : `${lines.join('\n')}\n`);
  }

  /** Reports a usage error. Returns the exit code. */
  wrong(message: string): number {
    return this.#failure(EXIT.WRONG, message);
  }

  /**
   * Reports in one line why the command failed, and returns its exit code. Unexpected errors are thrown
   * again. `file` is used if the error names none.
   */
  failed(error: unknown, file?: string): number {
    const { code, path = file, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof DiscoveryError) && typeof code !== 'string') throw error;
    const words = path === undefined || code === undefined ? undefined : FILE_ERRORS[code];
    return this.#failure(EXIT.FAILED, words === undefined ? message : `${path} ${words}`);
  }

  /** Reports an invalid file. Returns the exit code. */
  wrongFile(message: string): number {
    return this.#failure(EXIT.FAILED, message);
  }

  #failure(exitCode: number, message: string): number {
    this.#terminal.err(problemOutput({ exitCode, message }, this.json));
    return exitCode;
  }
}

/** The causes to print after a file's name. Other errors keep Node's message, which names the file. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EEXIST: 'already exists and was not overwritten; choose another name',
  EISDIR: 'is a directory; use the name of a file',
  EACCES: 'cannot be read or written: permission denied',
};

/** Formats `1 token with 3 members`. */
export function tokens(count: number, members: number): string {
  return `${counted(count, 'token')} with ${counted(members, 'member')}`;
}

import { DiscoveryError } from '../../discovery/errors.ts';
import { counted } from '../../values/counted.ts';
import type { Terminal } from '../command.ts';
import { EXIT } from '../exit.ts';
import { jsonLine } from '../output.ts';
import { problemOutput } from '../problem-output.ts';

/** Problems told one by one; data that is wrong throughout must not flood the terminal. */
const PROBLEMS_TOLD = 100;

/** What a command about data says: lines for people, or one line of JSON for programs. */
export class Report {
  readonly json: boolean;
  readonly #terminal: Terminal;
  readonly #problems: string[] = [];
  #more = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.json = json;
  }

  /** What the log of a store writes. */
  readonly log = (text: string): void => this.#terminal.err(text);

  /** Something that is wrong with the data; the command goes on. */
  problem(line: string): void {
    if (this.#problems.length === PROBLEMS_TOLD) this.#more += 1;
    else {
      this.#problems.push(line);
      if (!this.json) this.#terminal.err(`${line}\n`);
    }
  }

  /** What came of it, with the first problems; on standard error where standard output has the data. */
  result(lines: readonly string[], fields: object, to: 'out' | 'err' = 'out'): void {
    if (this.#more > 0 && !this.json) this.#terminal.err(`... and ${this.#more} more\n`);
    const json = { ...fields, problemCount: this.#problems.length + this.#more, problems: this.#problems };
    this.#terminal[to](this.json ? jsonLine(json) : `${lines.join('\n')}\n`);
  }

  /** A call that is wrong. Returns the exit code. */
  wrong(message: string): number {
    return this.#failure(EXIT.WRONG, message);
  }

  /**
   * Says in one line why the command failed, and returns its exit code. What nobody foresaw is thrown on. `file`:
   * where the error names none.
   */
  failed(error: unknown, file?: string): number {
    const { code, path = file, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof DiscoveryError) && typeof code !== 'string') throw error;
    const words = path === undefined || code === undefined ? undefined : FILE_ERRORS[code];
    return this.#failure(EXIT.FAILED, words === undefined ? message : `${path} ${words}`);
  }

  /** A file that is not what it should be. Returns the exit code. */
  wrongFile(message: string): number {
    return this.#failure(EXIT.FAILED, message);
  }

  #failure(exitCode: number, message: string): number {
    this.#terminal.err(problemOutput({ exitCode, message }, this.json));
    return exitCode;
  }
}

/** What is wrong with a file, after its name. For others Node's own words, which name the file, will do. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EEXIST: 'is there already, and is not overwritten; choose another name',
  EISDIR: 'is a directory; name a file',
  EACCES: 'may not be read or written by this user',
};

/** `1 token with 3 members`. */
export function tokens(count: number, members: number): string {
  return `${counted(count, 'token')} with ${counted(members, 'member')}`;
}

import { type ChildProcess, spawn } from 'node:child_process';

// For failure messages: enough to see the reason, without most of etcd's stack traces and settings.
const TAIL_LINES = 20;
const TAIL_LINE_LENGTH = 400;

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// A test file that is ended from outside (time limit, Ctrl-C) must not leave processes behind.
const living = new Set<ChildProcess>();
const killAll = (): void => {
  for (const child of living) child.kill('SIGKILL');
};
process.on('exit', killAll);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

/** One run of a program, from start to end, with all of its output. */
export class Run {
  readonly label: string;
  /** Resolves once the process has ended and all of its output is read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #log = '';
  #ending: Ending | undefined;

  constructor(label: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.label = label;
    this.#child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    living.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
    this.#child.once('error', (error) => {
      this.#log += `${error.message}\n`;
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        living.delete(this.#child);
        this.#ending = { code, signal };
        resolve(this.#ending);
      });
    });
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** All output so far, without the escapes of etcd's JSON. */
  get log(): string {
    return this.#log.replaceAll('\\"', '"');
  }

  /** Returns the state and the last lines, for a failure message. */
  describe(): string {
    const state = this.#ending === undefined ? 'running' : `ended (${endingText(this.#ending)})`;
    const lines = this.log.trimEnd().split('\n').slice(-TAIL_LINES);
    const tail = lines.map((line) => line.slice(0, TAIL_LINE_LENGTH)).join('\n');
    return `\n--- ${this.label}, ${state}, last lines:\n${tail}`;
  }

  /** Sends a signal that does not end the process, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals): Promise<Ending> {
    this.#child.kill(signal);
    return this.ended;
  }
}

/** Returns "exit code 1" or "signal SIGKILL". */
export function endingText({ code, signal }: Ending): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../support/wait.ts';

const CHILD = fileURLToPath(new URL('./store-child.js', import.meta.url));

/** How to start the process: a command that runs `node`, such as `['strace', '-f']`. */
export interface Launch {
  readonly command?: readonly string[];
  readonly options?: SpawnOptions;
}

/** Runs store-child.ts as a process, and collects its output. */
export class StoreProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { command = [], options = {} }: Launch = {}) {
    const [program = '', ...rest] = [...command, process.execPath, CHILD, ...args];
    this.child = spawn(program, rest, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const kill = (): boolean => this.child.kill('SIGKILL');
    process.once('exit', kill);
    void this.ended.then(() => process.off('exit', kill));
  }

  lines(start: string): string[] {
    return this.stdout.split('\n').filter((line) => line.startsWith(start));
  }

  /** Returns why it rejected writes and why it exited. LMDB prints to stderr too, sometimes without a newline. */
  reports(): string[] {
    return [...this.lines('refused'), ...(this.stderr.match(/the store has failed.*/g) ?? [])];
  }

  async opened(): Promise<this> {
    let over = false;
    void this.ended.then(() => {
      over = true;
    });
    await waitFor('the store to open', () => over || this.lines('open').length > 0);
    if (this.lines('open').length === 0) throw new Error(`the process ended: ${this.stderr}`);
    return this;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }
}

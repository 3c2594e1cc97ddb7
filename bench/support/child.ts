import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer } from './ipc.ts';
import type { Usage } from './probe.ts';

const STOP_LIMIT_MS = 15_000;
/** A slot of any length and its preparation end well before. */
const ANSWER_LIMIT_MS = 120_000;
const PROBE = new URL('./probe.js', import.meta.url).href;

const running = new Set<Child>();

interface Asked {
  readonly limit: NodeJS.Timeout;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A Node.js process of the benchmark's: a server with the probe in it, or the load generator. */
export class Child {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #open = new Map<number, Asked>();
  readonly #exited: Promise<unknown>;
  #lastId = 0;
  #stopping = false;
  #output = '';

  /** Starts a script given relative to the compiled bench/. */
  constructor(name: string, script: string, args: readonly string[] = []) {
    this.name = name;
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    this.#process = spawn(process.execPath, ['--expose-gc', '--import', PROBE, path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: environment(),
    });
    this.pid = this.#process.pid ?? 0;
    running.add(this);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-4000);
      });
    }
    this.#process.on('message', (message) => {
      const { id, value, error } = message as Answer;
      const asked = this.#open.get(id);
      this.#open.delete(id);
      clearTimeout(asked?.limit);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(new Error(`${this.name}: ${error}`));
    });
    this.#exited = once(this.#process, 'exit').then(([code, signal]) => {
      running.delete(this);
      const how = signal === null ? `exit code ${code}` : String(signal);
      const said =
        this.#output.trim() === '' ? 'it printed nothing' : `its last words:\n${this.#output.trim()}`;
      for (const { limit, reject } of this.#open.values()) {
        clearTimeout(limit);
        reject(new Error(`${this.name} ended (${how}) while it was needed; ${said}`));
      }
      this.#open.clear();
    });
  }

  ask(name: string, argument?: unknown, limitMs: number = ANSWER_LIMIT_MS): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`${this.name} did not answer "${name}" within ${limitMs / 1000} s`));
      }, limitMs);
      this.#lastId += 1;
      const id = this.#lastId;
      this.#open.set(id, { limit, resolve, reject });
      this.#process.send({ id, name, argument }, (error) => {
        // The exit, when that is why, tells more.
        if (error !== null) void this.#exited.then(() => reject(error));
      });
    });
  }

  usage(): Promise<Usage> {
    return this.ask('usage') as Promise<Usage>;
  }

  settledUsage(): Promise<Usage> {
    return this.ask('settledUsage') as Promise<Usage>;
  }

  hasEnded(): boolean {
    return !running.has(this);
  }

  /** What the process printed last. */
  output(): string {
    return this.#output.trim();
  }

  /** Ends the process: a request to stop first, then by force. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#process.kill('SIGTERM');
      setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT_MS).unref();
    }
    await this.#exited;
  }
}

/** Without the settings of the service that the user may have in the environment. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DISC_')));
}

/** Ends every process that is still there. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

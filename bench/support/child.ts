import { fileURLToPath } from 'node:url';
import type { Answer } from './ipc.ts';
import type { Usage } from './probe.ts';
import { Program } from './program.ts';

const PROBE = new URL('./probe.js', import.meta.url).href;

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A Node.js process of the benchmark: a server with the probe, or the load generator. */
export class Child extends Program {
  readonly #open = new Map<number, Asked>();
  #lastId = 0;

  /** Starts a script of the compiled bench/. */
  constructor(name: string, script: string, args: readonly string[] = []) {
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    super(name, [process.execPath, '--expose-gc', '--import', PROBE, path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.process.on('message', (message) => {
      const { id, value, error } = message as Answer;
      const asked = this.#open.get(id);
      this.#open.delete(id);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(new Error(`${this.name}: ${error}`));
    });
    void this.exited.then(() => {
      const { exitCode, signalCode } = this.process;
      const how = signalCode ?? `exit code ${exitCode}`;
      const said = this.output() === '' ? 'it printed nothing' : `the end of its output:\n${this.output()}`;
      for (const { reject } of this.#open.values()) {
        reject(new Error(`${this.name} ended (${how}) while it was needed; ${said}`));
      }
      this.#open.clear();
    });
  }

  ask(name: string, argument?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      const id = this.#lastId;
      this.#open.set(id, { resolve, reject });
      this.process.send({ id, name, argument }, (error) => {
        // An exit, if that is the cause, explains more.
        if (error !== null) void this.exited.then(() => reject(error));
      });
    });
  }

  override usage(): Promise<Usage> {
    return this.ask('usage') as Promise<Usage>;
  }

  settledUsage(): Promise<Usage> {
    return this.ask('settledUsage') as Promise<Usage>;
  }
}

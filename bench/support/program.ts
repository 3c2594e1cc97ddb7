import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Usage } from './probe.ts';

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 15_000;
/** Of /proc: 10 ms on every Linux. */
const MICROS_PER_TICK = 10_000;

const running = new Set<Program>();

// However this process ends, the programs end with it.
process.once('exit', () => {
  for (const program of running) program.kill();
});

/** A program without the probe: etcd, the discovery service in Go, and a service whose start is timed. */
export class Program {
  readonly name: string;
  readonly pid: number;
  protected readonly process: ChildProcess;
  /** Resolves when the program has ended or failed to start. */
  protected readonly exited: Promise<unknown>;
  #output = '';

  constructor(name: string, [command = '', ...args]: readonly string[], options: SpawnOptions = {}) {
    this.name = name;
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Without settings of the service in the user's environment.
      env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('DISC_'))),
      ...options,
    });
    this.pid = this.process.pid ?? 0;
    running.add(this);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-4000);
      });
    }
    this.exited = once(this.process, 'exit')
      .catch(() => {})
      .then(() => running.delete(this));
  }

  /** Resolves when the program accepts connections on a port. */
  async listens(port: number): Promise<void> {
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await accepts(port))) {
      if (this.hasEnded() || Date.now() > deadline) {
        throw new Error(`${this.name} did not start:\n${this.output()}`);
      }
      await sleep(20);
    }
  }

  /** Returns the usage as reported by Linux; 0 on other systems. */
  async usage(): Promise<Usage> {
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[11]) + Number(fields[12]);
      return { cpuMicros: ticks * MICROS_PER_TICK, rssBytes: Number(fields[21]) * 4096 };
    } catch {
      return { cpuMicros: 0, rssBytes: 0 };
    }
  }

  hasEnded(): boolean {
    return !running.has(this);
  }

  /** Returns the end of the program's output. */
  output(): string {
    return this.#output.trim();
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  /** Asks the program to stop, then kills it. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    const force = setTimeout(() => this.kill(), STOP_LIMIT_MS);
    await this.exited;
    clearTimeout(force);
  }
}

/** Ends every program that is still running. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()));
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

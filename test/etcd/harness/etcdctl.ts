import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { Run } from './run.ts';
import type { Scene } from './scene.ts';
import type { Service } from './service.ts';
import type { Etcdctl } from './versions.ts';

const CALL_LIMIT_MS = 60_000;
/** etcdctl gives up after 2 s and 5 s, which a busy machine may take. */
export const PATIENT_FLAGS = ['--dial-timeout=30s', '--command-timeout=50s'] as const;

/** How a command ended and what it wrote. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An etcdctl as an operator uses it with the service. */
export class Operator {
  readonly #scene: Scene;
  readonly #etcdctl: Etcdctl;
  readonly #endpoint: string;

  constructor(scene: Scene, etcdctl: Etcdctl, service: Service) {
    this.#scene = scene;
    this.#etcdctl = etcdctl;
    // Without a scheme: `endpoint status` of 3.4 sends one as :authority, which HTTP/2 servers refuse.
    this.#endpoint = new URL(service.url).host;
  }

  /** Runs a command to its end, with a text as its input. */
  run(args: readonly string[], input = ''): Promise<Output> {
    const options = { env: { PATH: process.env['PATH'] }, timeout: CALL_LIMIT_MS };
    return new Promise((resolve) => {
      const child = execFile(this.#etcdctl.etcdctl, this.#all(args), options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
      // A command may end without reading it.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  /** Runs a command that has to succeed. Returns what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, `etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a command that has to fail. Returns the reason that it gives last. */
  async refused(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.notEqual(code, 0, `etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
    return stderr.trimEnd().split('\n').at(-1) ?? '';
  }

  /** Starts a command that runs until the test is over. */
  start(...args: readonly string[]): Run {
    return this.#scene.run(`etcdctl ${args[0]}`, this.#etcdctl.etcdctl, this.#all(args));
  }

  #all(args: readonly string[]): string[] {
    return ['--endpoints', this.#endpoint, ...PATIENT_FLAGS, ...args];
  }
}

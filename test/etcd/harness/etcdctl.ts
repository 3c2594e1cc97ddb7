import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { Run } from './run.ts';
import type { Scene } from './scene.ts';
import type { Service } from './service.ts';
import type { Etcdctl } from './versions.ts';

const CALL_LIMIT_MS = 60_000;
/** etcdctl's defaults of 2 s and 5 s are too short on a busy machine. */
export const PATIENT_FLAGS = ['--dial-timeout=30s', '--command-timeout=50s'] as const;

/** The exit code and the output of a command. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An etcdctl that an operator uses with the service. */
export class Operator {
  readonly #scene: Scene;
  readonly #etcdctl: Etcdctl;
  readonly #endpoint: string;

  constructor(scene: Scene, etcdctl: Etcdctl, service: Service) {
    this.#scene = scene;
    this.#etcdctl = etcdctl;
    // Without a scheme: `endpoint status` of 3.4 sends one in :authority, which HTTP/2 servers reject.
    this.#endpoint = new URL(service.url).host;
  }

  /** Runs a command to its end with this input. */
  run(args: readonly string[], input = ''): Promise<Output> {
    const options = { env: { PATH: process.env['PATH'] }, timeout: CALL_LIMIT_MS };
    return new Promise((resolve) => {
      const child = execFile(this.#etcdctl.etcdctl, this.#all(args), options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
      // A command may end without reading its input.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  /** Runs a command that must succeed. Returns its output. */
  async ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 0, `etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a command that must fail. Returns the reason at the end of its output. */
  async refused(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.notEqual(code, 0, `etcdctl ${args.join(' ')}: ${stdout}${stderr}`);
    return stderr.trimEnd().split('\n').at(-1) ?? '';
  }

  /** Starts a command that runs until the test ends. */
  start(...args: readonly string[]): Run {
    return this.#scene.run(`etcdctl ${args[0]}`, this.#etcdctl.etcdctl, this.#all(args));
  }

  #all(args: readonly string[]): string[] {
    return ['--endpoints', this.#endpoint, ...PATIENT_FLAGS, ...args];
  }
}

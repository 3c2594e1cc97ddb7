import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../etcd/harness/ports.ts';
import { waitFor } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../src/main.cjs', import.meta.url));

/** How a process ended: one of the two is set. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The command `etcd-discovery` in a process, with its output. */
export class Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    stdin: 'ignore' | 'pipe' = 'ignore',
    shell?: string,
  ) {
    const [program, ...first] = shell === undefined ? [process.execPath] : ['sh', '-c', shell, 'sh'];
    this.child = spawn(program ?? '', [...first, MAIN, ...args], {
      env: { ...cleanEnv(), ...env },
      stdio: [stdin, 'pipe', 'pipe'],
    });
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

  /** The lines of the JSON log so far. */
  log(): Array<Record<string, unknown>> {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** Returns the environment without variables that the command reads. */
export function cleanEnv(): Record<string, string> {
  const unwanted = /^(DISC_|NO_COLOR$|FORCE_COLOR$)/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Runs the command to its end. */
export async function run(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = new Command(args, env);
  const { code } = await command.ended;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** `etcd-discovery serve` on a free port of 127.0.0.1, ready, with a data directory that outlives the process. */
export class SpawnedService {
  readonly url: string;
  readonly dataDir: string;
  readonly command: Command;
  /** Whether the test ended it. */
  #ending = false;

  private constructor(command: Command, url: string, dataDir: string) {
    this.command = command;
    this.url = url;
    this.dataDir = dataDir;
  }

  static async start(
    args: readonly string[] = [],
    options: {
      dataDir?: string;
      addr?: string;
      env?: Readonly<Record<string, string>>;
      /** A shell command to run instead of Node.js, which gets its arguments as "$@". */
      shell?: string;
    } = {},
  ): Promise<SpawnedService> {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    // A fixed port, because another process could take a free one while the service is down.
    const addr = options.addr ?? `127.0.0.1:${(await freePorts(1))[0]}`;
    const where = ['--addr', addr, ...(args.includes('--etcd') ? [] : ['--data-dir', dataDir])];
    const command = new Command(['serve', ...where, ...args], options.env, 'ignore', options.shell);
    let ending: Ending | undefined;
    void command.ended.then((end) => {
      ending = end;
    });
    let url: unknown;
    await waitFor('the service to be ready', () => {
      assert.equal(
        ending,
        undefined,
        `it ended: ${JSON.stringify(ending)} ${command.stderr}${command.stdout}`,
      );
      url = command.log().find((line) => line['msg'] === 'serving')?.['url'];
      return url !== undefined;
    });
    const service = new SpawnedService(command, String(url), dataDir);
    // Otherwise a later call in the test fails only with a refused connection.
    void command.ended.then((end) => {
      if (!service.#ending)
        console.error('the service ended unexpectedly:', end, command.stderr, command.stdout);
    });
    return service;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.#ending = true;
    this.command.child.kill(signal);
    return this.command.ended;
  }

  /** Starts it again, at the same address and with the same data. */
  async again(args: readonly string[] = []): Promise<SpawnedService> {
    return SpawnedService.start(args, { dataDir: this.dataDir, addr: new URL(this.url).host });
  }

  /** Ends it if it is still running, and removes its data. */
  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../support/debian.ts';
import { waitFor } from '../../support/wait.ts';

/** The DNS server of slirp4netns. */
const NAME_SERVER = '10.0.2.3';

/** The exit code of a script, and its output. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Docker's engine in its own namespaces: its ports are private, nothing outside sees it, and all of it ends with this
 * process. It reaches the npm registry through slirp4netns.
 */
export class Engine {
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];
  #pid = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async start(): Promise<void> {
    const at = (name: string): string => join(this.#directory, name);
    mkdirSync(at('bin'));
    // Debian has only Compose 1, under another name.
    const compose = 'if [ "$1" = compose ]; then shift; exec docker-compose "$@"; fi';
    writeFileSync(at('bin/docker'), `#!/bin/sh\n${compose}\nexec ${onPath('docker')} "$@"\n`, {
      mode: 0o755,
    });
    const engine =
      `dockerd --host unix://${at('docker.sock')} --data-root ${at('data')} --exec-root ${at('exec')} ` +
      `--pidfile ${at('dockerd.pid')} --dns ${NAME_SERVER} >${at('dockerd.log')} 2>&1`;
    const network =
      'ip link set lo up; until ip addr show tap0 2>/dev/null | grep -q inet; do sleep 0.1; done';
    const isolated = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const outside = this.#spawn('unshare', [...isolated, 'sh', '-c', `${network}; exec ${engine}`]);
    await waitFor('the namespaces of the engine', () => {
      this.#pid = Number(readFileSync(`/proc/${outside.pid}/task/${outside.pid}/children`, 'utf8'));
      return this.#pid > 0 && readFileSync(`/proc/${this.#pid}/comm`, 'utf8') !== 'unshare\n';
    });
    const slirp = ['--configure', '--mtu=65520', '--disable-host-loopback', String(this.#pid), 'tap0'];
    this.#spawn('slirp4netns', slirp);
    await waitFor(
      () => `Docker's engine, which said:\n${readFileSync(at('dockerd.log'), 'utf8').slice(-2000)}`,
      async () => (await this.run('docker version', { limitMs: 10_000 })).code === 0,
    );
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: 'ignore' });
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('close', () => process.off('exit', kill));
    this.#children.push(child);
    return child;
  }

  /** Runs a bash script in the engine's namespaces, with `docker` on PATH and published ports on `localhost`. */
  run(
    script: string,
    { limitMs = 300_000, env = {} }: { limitMs?: number; env?: Readonly<Record<string, string>> } = {},
  ): Promise<Ran> {
    const child = spawn('nsenter', ['--target', String(this.#pid), '--net', 'bash', '-c', script], {
      env: {
        ...process.env,
        ...env,
        PATH: `${join(this.#directory, 'bin')}:${process.env['PATH']}`,
        DOCKER_HOST: `unix://${join(this.#directory, 'docker.sock')}`,
        // The classic builder, which needs no plugin.
        DOCKER_BUILDKIT: '0',
        DOCKER_CONFIG: this.#directory,
        // Compose gives up after 60 s otherwise. Where other tests flush much data, the engine's own flush can take longer.
        COMPOSE_HTTP_TIMEOUT: '300',
      },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), limitMs);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    return new Promise((resolve) => {
      child.once('close', (code) => {
        clearTimeout(late);
        resolve({ code, output });
      });
    });
  }

  /** Runs a script that must succeed. Returns its output, trimmed. */
  async must(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, output } = await this.run(`set -euo pipefail\n${script}`, { env });
    if (code !== 0) throw new Error(`exit code ${code} of: ${script}\n${output}`);
    return output.trim();
  }

  async stop(): Promise<void> {
    await this.run('docker rm --force --volumes $(docker ps --all --quiet)');
    for (const child of this.#children.reverse()) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Attacks, Kind } from './attacker.ts';

const ATTACKER = fileURLToPath(new URL('./attacker.js', import.meta.url));

type Result<K extends Kind> = Awaited<ReturnType<Attacks[K]>>;

/** An attacking process. */
export class Attacker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
  }

  static async start(): Promise<Attacker> {
    const child = fork(ATTACKER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    return new Attacker(child);
  }

  /** Runs one attack at a time. */
  async attack<K extends Kind>(kind: K, order: Parameters<Attacks[K]>[0]): Promise<Result<K>> {
    this.#child.send({ kind, order });
    const over = new AbortController();
    const { signal } = over;
    const [answer] = (await Promise.race([
      once(this.#child, 'message', { signal }),
      once(this.#child, 'exit', { signal }).then(() => [{ error: 'the attacker exited' }]),
    ])) as [{ result?: Result<K>; error?: string }];
    over.abort();
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result as Result<K>;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

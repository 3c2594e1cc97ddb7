// For tests of attacks on memory and work: the real service, as a process of its own that may take 512 MB.
//
//   const service = await BoundedService.start(['--max-tokens', '5000']);   // settings, as on the command line
//   t.after(() => service.remove());
//   await service.servesDuring(() => attack(service.port));                 // good clients are answered meanwhile
//   await service.assertWell();                                             // same process, below 512 MB at its worst
//
// An attack that is to be counted as a client's comes from ATTACKER: no limit of clients holds for 127.0.0.1 and ::1,
// which is where the good clients come from. `connect({ port, host: '127.0.0.1', localAddress: ATTACKER })` does it,
// as do RawClient.connect(port, ATTACKER) and RawHttp2Client.connect(port, { from: ATTACKER }). Linux alone has the
// whole of 127.0.0.0/8, and /proc, where the memory is read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertServes } from '../../port/support/alive.ts';
import { SpawnedService } from '../../support/child.ts';

const MiB = 1024 * 1024;
/** What the process may take in all: that of the smallest machines that it is run on. */
export const MOST_BYTES = 512 * MiB;
/** Of it the heap of V8; the program, its stacks and what is outside of the heap take the rest. */
const HEAP_MEGABYTES = 320;
/** One that takes more than this has failed, and is ended before the machine feels it. */
const RUNAWAY_BYTES = 2 * MOST_BYTES;
/** A good client that waits for so long is not answered. */
const ANSWER_MS = 30_000;

/** Another client than 127.0.0.1, on this machine. */
export const ATTACKER = '127.0.0.2';

export class BoundedService {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly #service: SpawnedService;
  /** Lines of the log at error or fatal: there may be none. */
  readonly #complaints: string[] = [];
  readonly #guard: NodeJS.Timeout;

  private constructor(service: SpawnedService) {
    const { pid } = service.command.child;
    assert.ok(pid !== undefined);
    this.#service = service;
    this.url = service.url;
    this.port = Number(new URL(service.url).port);
    this.pid = pid;
    // The log is read, as a pipe that is not would stop the service, and is not kept.
    let rest = '';
    service.command.child.stdout?.removeAllListeners('data').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.#complaints.push(...lines.filter((line) => /"level":"(?:error|fatal)"/.test(line)));
    });
    this.#guard = setInterval(() => {
      if (this.#isUp() && this.#memory('VmRSS') > RUNAWAY_BYTES) process.kill(pid, 'SIGKILL');
    }, 100);
  }

  /** On a free port, on a store in a directory of its own. */
  static async start(args: readonly string[] = []): Promise<BoundedService> {
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MEGABYTES}` };
    return new BoundedService(await SpawnedService.start(args, { env }));
  }

  /** The most memory that the process has held so far. */
  peakBytes(): number {
    return this.#memory('VmHWM');
  }

  /** Runs an attack, to its end, while good clients call over both protocols, one after the other: each is answered. */
  async servesDuring<T>(attack: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const attacking = attack().finally(() => over.abort());
    // Its failure is heard at the end, unless a good client fails before.
    attacking.catch(() => {});
    do {
      await this.#assertAnswers();
      await sleep(20);
    } while (!over.signal.aborted);
    return attacking;
  }

  /** The process is the one that was started, answers, and has stayed below its limit all the time. */
  async assertWell(): Promise<void> {
    await this.#assertAnswers();
    const peak = this.peakBytes();
    assert.ok(peak < MOST_BYTES, `it took ${Math.round(peak / MiB)} MiB`);
    assert.deepEqual(this.#complaints, []);
  }

  async remove(): Promise<void> {
    clearInterval(this.#guard);
    await this.#service.remove();
  }

  async #assertAnswers(): Promise<void> {
    const patience = new AbortController();
    const tooLong = sleep(ANSWER_MS, undefined, patience).then(() => assert.fail('it does not answer'));
    tooLong.catch(() => {});
    // A client of a process that has died may wait for ever.
    const { ended, stderr } = this.#service.command;
    const died = ended.then((end) => {
      const told = [...this.#complaints, stderr.slice(0, 3000)].join('\n');
      assert.fail(`the process is gone: ${JSON.stringify(end)} ${told}`);
    });
    try {
      await Promise.race([assertServes(this.port), died, tooLong]);
    } catch (error) {
      // Its connections break before it is known that it has died, of which more is to be told.
      await Promise.race([died, sleep(1000)]);
      throw error;
    } finally {
      patience.abort();
    }
    assert.ok(this.#isUp(), 'the process is up');
  }

  #isUp(): boolean {
    const { exitCode, signalCode } = this.#service.command.child;
    return exitCode === null && signalCode === null;
  }

  #memory(which: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const [, kilobytes] = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
    return Number(kilobytes ?? Number.NaN) * 1024;
  }
}

// For tests of attacks on memory and CPU: runs the real service as a process with a limit of 512 MB.
//
//   const service = await BoundedService.start(['--max-tokens', '5000']);   // settings, as on the command line
//   t.after(() => service.remove());
//   await service.servesDuring(() => attack(service.port));                 // good clients are served meanwhile
//   await service.assertWell();                                             // same process, below 512 MB at its peak
//
// An attack that should count as a client's must come from ATTACKER: 127.0.0.1 and ::1, where the good clients are, have
// no limits. Use `connect({ port, host: '127.0.0.1', localAddress: ATTACKER })`, RawClient.connect(port, ATTACKER) or
// RawHttp2Client.connect(port, { from: ATTACKER }). Only Linux has the whole of 127.0.0.0/8, and /proc, which shows the
// memory.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertServes } from '../../port/support/alive.ts';
import { SpawnedService } from '../../support/child.ts';

const MiB = 1024 * 1024;
/** Maximum memory of the process: that of the smallest machines that run it. */
export const MOST_BYTES = 512 * MiB;
/** Maximum V8 heap; the program, its stacks and memory outside of the heap use the rest. */
const HEAP_MEGABYTES = 320;
/** A process above this has failed, and is killed before it slows the machine down. */
const RUNAWAY_BYTES = 2 * MOST_BYTES;
/** A good client that waits this long has no response. */
const ANSWER_MS = 30_000;

/** A client other than 127.0.0.1 on this machine. */
export const ATTACKER = '127.0.0.2';

export class BoundedService {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly #service: SpawnedService;
  /** Log lines at level error or fatal, which must not occur. */
  readonly #complaints: string[] = [];
  readonly #guard: NodeJS.Timeout;

  private constructor(service: SpawnedService) {
    const { pid } = service.command.child;
    assert.ok(pid !== undefined);
    this.#service = service;
    this.url = service.url;
    this.port = Number(new URL(service.url).port);
    this.pid = pid;
    // Reads the log, because a full pipe would block the service, and drops it.
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

  /** Starts the service on a free port, with a store in its own directory. */
  static async start(args: readonly string[] = []): Promise<BoundedService> {
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MEGABYTES}` };
    return new BoundedService(await SpawnedService.start(args, { env }));
  }

  /** Returns the peak memory of the process. */
  peakBytes(): number {
    return this.#memory('VmHWM');
  }

  /** Runs an attack to its end while good clients call over both protocols, one after the other, and get responses. */
  async servesDuring<T>(attack: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const attacking = attack().finally(() => over.abort());
    // Its failure is reported at the end, unless a good client fails before.
    attacking.catch(() => {});
    do {
      await this.#assertAnswers();
      await sleep(20);
    } while (!over.signal.aborted);
    return attacking;
  }

  /** Asserts that the process is still the same, responds, and has never exceeded its limit. */
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
    const tooLong = sleep(ANSWER_MS, undefined, patience).then(() => assert.fail('it does not respond'));
    tooLong.catch(() => {});
    // A client of a dead process may wait forever.
    const { ended, stderr } = this.#service.command;
    const died = ended.then((end) => {
      const log = [...this.#complaints, stderr.slice(0, 3000)].join('\n');
      assert.fail(`the process exited: ${JSON.stringify(end)} ${log}`);
    });
    try {
      await Promise.race([assertServes(this.port), died, tooLong]);
    } catch (error) {
      // Connections break before the exit is known, which explains more.
      await Promise.race([died, sleep(1000)]);
      throw error;
    } finally {
      patience.abort();
    }
    assert.ok(this.#isUp(), 'the process is running');
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

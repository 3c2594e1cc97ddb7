import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpawnedService } from '../support/child.ts';
import { scrape } from '../support/scrape.ts';
import { waitFor } from '../support/wait.ts';
import type { Held } from './measured.ts';

const MEASURED = new URL('./measured.js', import.meta.url).href;
/** How long the service may take to notice a dead connection: a ping and its timeout. */
const SETTLE_MS = 90_000;
/** How long V8 may keep free pages of its heap. */
const RETURN_MS = 60_000;

/** The service as a process that reports the resources it holds. */
export class FloodedService {
  readonly service: SpawnedService;
  readonly port: number;
  /** Log lines at level error or fatal, which must not occur. */
  readonly complaints: string[] = [];
  /** The URL of its metrics. */
  readonly #metrics: string;
  readonly #socket: string;
  readonly #directory: string;

  private constructor(service: SpawnedService, directory: string, socket: string) {
    this.service = service;
    this.port = Number(new URL(service.url).port);
    const serving = service.command.log().find((line) => line['msg'] === 'serving');
    const metrics = serving?.['metrics'];
    this.#metrics = typeof metrics === 'string' ? metrics : service.url;
    this.#directory = directory;
    this.#socket = socket;
    // Reads the log, because a full pipe would block the service, and drops it: floods log a lot.
    let rest = '';
    service.command.child.stdout?.removeAllListeners('data').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      this.complaints.push(...lines.filter((line) => /"level":"(?:error|fatal)"/.test(line)));
    });
  }

  static async start(args: readonly string[] = []): Promise<FloodedService> {
    const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    const socket = join(directory, 'measured.sock');
    const env = { MEASURED_SOCKET: socket, NODE_OPTIONS: `--import=${MEASURED}` };
    const service = await SpawnedService.start(args, { env });
    return new FloodedService(service, directory, socket);
  }

  get url(): string {
    return this.service.url;
  }

  /** Returns what the process holds after a garbage collection. */
  async held(): Promise<Held> {
    const held = JSON.parse(await text(connect(this.#socket))) as Held;
    assert.equal(held.pid, this.service.command.child.pid, 'it is still the same process');
    return held;
  }

  /** Waits until only this many connections are open, without waits and watches. */
  async settle(ownConnections: number): Promise<void> {
    const names = [
      'discovery_connections',
      'discovery_watches',
      'discovery_waits{surface="v2"}',
      'discovery_waits{surface="rpc"}',
    ];
    let open: number[] = [];
    const settled = async (): Promise<boolean> => {
      const metrics = await scrape(this.#metrics);
      open = names.map((name) => metrics.get(name) ?? Number.NaN);
      const [connections = Number.NaN, ...others] = open;
      // The request for the metrics may be one more.
      return connections <= ownConnections + 1 && others.every((count) => count === 0);
    };
    await waitFor("the attackers' connections to close", settled, SETTLE_MS).catch((error: Error) => {
      throw new Error(`${error.message}: ${names.map((name, index) => `${name} ${open[index]}`).join(', ')}`);
    });
  }

  /** Asserts that memory, files and handles return to their earlier level, memory to within a tenth. */
  async assertBack(before: Held, what: string): Promise<void> {
    const after = await this.#heldLike(before);
    const all = `${what}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}: heap ${ratio(after.heapBytes, before.heapBytes)}, RSS ${ratio(after.rssBytes, before.rssBytes)}`;
    console.log(all);
    assert.ok(isLike(after, before), all);
  }

  /** Returns what the process holds once it is like before, or after a timeout. */
  async #heldLike(then: Held): Promise<Held> {
    const deadline = performance.now() + RETURN_MS;
    for (;;) {
      const now = await this.held();
      if (isLike(now, then) || performance.now() > deadline) return now;
      await sleep(500);
    }
  }

  /** Asserts that the process is running, and has not met an unexpected error. */
  assertWell(): void {
    const { exitCode, signalCode } = this.service.command.child;
    assert.deepEqual([exitCode, signalCode], [null, null], 'the process is running');
    assert.deepEqual(this.complaints, []);
    assert.doesNotMatch(this.service.command.stderr, /\S/);
  }

  async remove(): Promise<void> {
    await this.service.remove();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export const ratio = (now: number, then: number): string => `x${(now / then).toFixed(2)}`;

const isLike = (now: Held, then: Held): boolean =>
  now.heapBytes <= then.heapBytes * 1.1 &&
  now.rssBytes <= then.rssBytes * 1.1 &&
  now.files <= then.files + 2 &&
  Object.entries(now.handles).every(([kind, count]) => count <= (then.handles[kind] ?? 0) + 2);

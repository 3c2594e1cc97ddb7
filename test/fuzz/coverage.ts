import { Session } from 'node:inspector';

type Ranges = ReadonlyArray<{
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}>;
interface Taken {
  readonly result: ReadonlyArray<{
    readonly url: string;
    readonly functions: ReadonlyArray<{ readonly ranges: Ranges }>;
  }>;
}

/**
 * Tells when code of the service runs for the first time, by the counters that V8 keeps for each block. Only what is
 * loaded after it was started is counted block by block.
 */
export class Coverage {
  readonly #session = new Session();
  /** For each file, which of its characters have run. */
  readonly #seen = new Map<string, Uint8Array>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Nothing has run yet. */
  forget(): void {
    this.#take(() => {});
    this.#seen.clear();
  }

  /** Whether something has run since the last look that never had before. `keep`: from now on it has. */
  isNew(keep: boolean): boolean {
    let found = false;
    this.#take((url, ran) => {
      const before = this.#seen.get(url) ?? new Uint8Array();
      const isMore = ran.some((count, at) => count === 1 && before[at] !== 1);
      found ||= isMore;
      if (!(isMore && keep)) return;
      const now = new Uint8Array(Math.max(ran.length, before.length));
      now.set(before);
      for (const [at, count] of ran.entries()) if (count === 1) now[at] = 1;
      this.#seen.set(url, now);
    });
    return found;
  }

  /** How many characters of the compiled service have run. */
  get size(): number {
    let size = 0;
    for (const ran of this.#seen.values()) for (const one of ran) size += one;
    return size;
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** What has run since it was asked last; the counters begin anew. The answer comes before `post` returns. */
  #take(each: (url: string, ran: Uint8Array) => void): void {
    this.#session.post('Profiler.takePreciseCoverage', (error: Error | null, taken: Taken) => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (!url.includes('/dist/src/')) continue;
        const length = Math.max(...functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
        const ran = new Uint8Array(length);
        // Outer ranges come before those inside them, which say it better.
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
          }
        }
        each(url, ran);
      }
    });
  }
}

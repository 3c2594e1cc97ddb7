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
 * Detects when code of the service runs for the first time, by V8's counters for each block. V8 counts by block only
 * in files loaded after the start.
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

  /** Resets: nothing has run yet. */
  forget(): void {
    this.#take(() => {});
    this.#seen.clear();
  }

  /** Returns whether code has run since the last check for the first time. `keep` records it. */
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

  /** The number of characters of the compiled service that have run. */
  get size(): number {
    let size = 0;
    for (const ran of this.#seen.values()) for (const one of ran) size += one;
    return size;
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Takes and resets the counters. The response arrives before `post` returns. */
  #take(each: (url: string, ran: Uint8Array) => void): void {
    this.#session.post('Profiler.takePreciseCoverage', (error: Error | null, taken: Taken) => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (!url.includes('/dist/src/')) continue;
        const length = Math.max(...functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0));
        const ran = new Uint8Array(length);
        // Outer ranges precede the inner ones, which are more precise.
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

/**
 * An outage counts as over after this many ms without failures: calls that waited through it may still fail
 * at its end.
 */
const SETTLE_MS = 1000;

/** Health logs when etcd becomes unavailable and when it recovers, once each however many calls notice. */
export class Health {
  #log: (line: string) => void;
  #downSince: number | undefined;
  #settling: NodeJS.Timeout | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  get isDown(): boolean {
    return this.#downSince !== undefined;
  }

  /** Stops logging. */
  end(): void {
    clearTimeout(this.#settling);
    this.#log = () => {};
  }

  failed(cause: string): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    if (this.#downSince !== undefined) return;
    this.#downSince = performance.now();
    this.#log(`the store is unavailable, and the service rejects calls until it recovers: ${cause}`);
  }

  works(): void {
    const since = this.#downSince;
    if (since === undefined || this.#settling !== undefined) return;
    const seconds = Math.ceil((performance.now() - since) / 1000);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#downSince = undefined;
      this.#log(`the store is available again after ${seconds} s`);
    }, SETTLE_MS).unref();
  }
}

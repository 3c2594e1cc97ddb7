/** A call or two that waited through an outage may still fail at its end: it is over when all went well for so long. */
const SETTLE_MS = 1000;

/** Says in the log when etcd goes and when it is back, once each, however many calls notice. */
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

  /** Nothing is said from here on. */
  end(): void {
    clearTimeout(this.#settling);
    this.#log = () => {};
  }

  failed(cause: string): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    if (this.#downSince !== undefined) return;
    this.#downSince = performance.now();
    this.#log(`the store cannot be used, and calls are refused until it can: ${cause}`);
  }

  works(): void {
    const since = this.#downSince;
    if (since === undefined || this.#settling !== undefined) return;
    const seconds = Math.ceil((performance.now() - since) / 1000);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#downSince = undefined;
      this.#log(`the store can be used again, after ${seconds} s`);
    }, SETTLE_MS).unref();
  }
}

/** Says in the log when etcd goes and when it is back, once each, however many calls notice. */
export class Health {
  readonly #log: (line: string) => void;
  #downSince: number | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  failed(cause: string): void {
    if (this.#downSince !== undefined) return;
    this.#downSince = performance.now();
    this.#log(`the store cannot be used, and calls are refused until it can: ${cause}`);
  }

  works(): void {
    if (this.#downSince === undefined) return;
    const seconds = Math.ceil((performance.now() - this.#downSince) / 1000);
    this.#downSince = undefined;
    this.#log(`the store can be used again, after ${seconds} s`);
  }
}

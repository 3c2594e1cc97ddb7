import { Code, ConnectError } from '@connectrpc/connect';
import { onEnd } from '../on-end.ts';
import { STOPPING } from '../values/sentences.ts';

/** Ends the streams that only listen to their clients when the server stops; one listener serves them all. */
export class OpenStreams {
  readonly #ends = new Set<() => void>();
  readonly #stopping: AbortSignal;

  constructor(stopping: AbortSignal) {
    this.#stopping = stopping;
    const endAll = (): void => {
      for (const end of this.#ends) end();
    };
    stopping.addEventListener('abort', endAll, { once: true });
  }

  /** The messages of a client, until the server stops: then `unavailable`. `signal` is that of the call. */
  async *until<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
    const iterator = messages[Symbol.asyncIterator]();
    let end = (): void => {};
    const endNow = (): void => end();
    this.#ends.add(endNow);
    const leave = onEnd(signal, () => this.#ends.delete(endNow));
    try {
      for (;;) {
        if (this.#stopping.aborted) throw serverStops();
        const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
          end = () => reject(serverStops());
          iterator.next().then(resolve, reject);
        });
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      leave();
    }
  }
}

export function serverStops(): ConnectError {
  return new ConnectError(STOPPING, Code.Unavailable);
}

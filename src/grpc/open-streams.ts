import { Code, ConnectError } from '@connectrpc/connect';
import { onEnd } from '../on-end.ts';
import { STOPPING } from '../values/sentences.ts';

/**
 * OpenStreams ends the streams that only wait for client messages when the server stops, with one shared
 * listener.
 */
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

  /**
   * Yields the client's messages until the server stops, then throws `unavailable`. `signal` is the call's.
   */
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

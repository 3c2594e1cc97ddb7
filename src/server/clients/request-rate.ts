import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Rate } from '../../values/token-bucket.ts';
import { owe, take } from '../../values/token-bucket.ts';
import type { Client } from './client-table.ts';
import { tooMany } from './too-many.ts';

/** Tell reports a client that was rejected. */
export type Tell = (client: Client, limit: string) => void;

/** RequestRate limits a client's requests and the work that they cause: both use one bucket. */
export class RequestRate {
  readonly #rate: Rate | 'off';
  readonly #now: () => number;
  readonly #tell: Tell;

  constructor(rate: Rate | 'off', now: () => number, tell: Tell) {
    this.#rate = rate;
    this.#now = now;
    this.#tell = tell;
  }

  /** Admits a request, or returns the reason why not. `mustPass`: it may use the last tenth of a burst. */
  enter(client: Client, mustPass: boolean): DiscoveryError | undefined {
    if (this.#rate === 'off') return undefined;
    const kept = mustPass ? 0 : Math.floor(this.#rate.burst / 10);
    const wait = this.#take(this.#rate, client, { kept });
    return wait === 0
      ? undefined
      : tooMany(`client ${client.name} reached its rate limit for requests`, wait);
  }

  /** Charges units of work before the work is done. Throws if there are not enough. */
  ask(client: Client, count: number): void {
    if (this.#rate === 'off' || count <= 0) return;
    const wait = this.#take(this.#rate, client, { count });
    if (wait > 0)
      throw tooMany(
        `client ${client.name} reached its rate limit for requests (an expensive request counts as several)`,
        wait,
      );
  }

  /** Charges units of work that was already done: the next requests wait until they are paid. */
  owe(client: Client, count: number): void {
    if (this.#rate === 'off' || count <= 0) return;
    client.requestsFull = owe(this.#rate, client.requestsFull, this.#now(), count);
  }

  /** Charges one unit, or returns the delay until one is available, in ms. */
  turn(client: Client): number {
    return this.#rate === 'off' ? 0 : this.#take(this.#rate, client, {});
  }

  #take(rate: Rate, client: Client, of: { readonly count?: number; readonly kept?: number }): number {
    const taken = take(rate, client.requestsFull, this.#now(), of);
    if ('wait' in taken) {
      this.#tell(client, 'requests');
      return taken.wait;
    }
    client.requestsFull = taken.full;
    return 0;
  }
}

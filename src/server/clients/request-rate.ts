import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Rate } from '../../values/token-bucket.ts';
import { owe, take } from '../../values/token-bucket.ts';
import type { Client } from './client-table.ts';
import { tooMany } from './too-many.ts';

/** Told of a client that is refused. */
export type Tell = (client: Client, limit: string) => void;

/** Of how many requests a client has sent, and of what work they were: both are of one bucket. */
export class RequestRate {
  readonly #rate: Rate | 'off';
  readonly #now: () => number;
  readonly #tell: Tell;

  constructor(rate: Rate | 'off', now: () => number, tell: Tell) {
    this.#rate = rate;
    this.#now = now;
    this.#tell = tell;
  }

  /** Takes the request, or says why not. `mustPass`: it may have the last tenth of a burst. */
  enter(client: Client, mustPass: boolean): DiscoveryError | undefined {
    if (this.#rate === 'off') return undefined;
    const kept = mustPass ? 0 : Math.floor(this.#rate.burst / 10);
    const wait = this.#take(this.#rate, client, { kept });
    return wait === 0 ? undefined : tooMany(`too many requests from ${client.name}`, wait);
  }

  /** Takes units of work before they are done. Throws when there are not as many. */
  ask(client: Client, count: number): void {
    if (this.#rate === 'off' || count <= 0) return;
    const wait = this.#take(this.#rate, client, { count });
    if (wait > 0) throw tooMany(`too much work for ${client.name}, of which one request can be a lot`, wait);
  }

  /** Takes units of work that was done already: the next requests wait for them. */
  owe(client: Client, count: number): void {
    if (this.#rate === 'off' || count <= 0) return;
    client.requestsFull = owe(this.#rate, client.requestsFull, this.#now(), count);
  }

  /** Takes one unit, or says how long to wait for it, in ms. */
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

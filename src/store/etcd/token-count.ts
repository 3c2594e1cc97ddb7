import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Revision } from '../../discovery/types.ts';
import { tooManyTokens } from '../refusals.ts';
import { RunningCount } from './running-count.ts';

/** TokenCount is the number of tokens, and whether there is room for those being created. */
export class TokenCount {
  readonly #max: number;
  readonly #there = new RunningCount();
  #making = 0;
  #waiting: Array<() => void> = [];

  constructor(max: number) {
    this.#max = max;
  }

  counted(count: number, at: Revision): void {
    this.#there.counted(count, at);
    this.#wake();
  }

  /** Adds the change in tokens that the watch has reported up to a revision. */
  told(change: number, at: Revision): void {
    this.#there.told(change, at);
    this.#wake();
  }

  /** Adds a change of this process at the revision that etcd assigned. */
  did(change: number, at: Revision): void {
    this.#there.did(change, at);
    if (change < 0) this.#wake();
  }

  /** Returns the number of tokens as far as this process knows. */
  count(): number {
    return this.#there.count();
  }

  /** Returns whether there is room for one more. WAIT: it depends on those being created. */
  room(): 'ROOM' | 'FULL' | 'WAIT' {
    const count = this.count();
    if (count >= this.#max) return 'FULL';
    return count + this.#making >= this.#max ? 'WAIT' : 'ROOM';
  }

  /** `read` is the revision of the write's decision; the last place may have been filled later. */
  refusal(read: Revision): DiscoveryError {
    const at = this.#there.latest;
    return tooManyTokens(this.#max).at(at > read ? at : read);
  }

  /** Reserves room for a token that is about to be created. */
  make(): void {
    this.#making += 1;
  }

  /** Releases the reservation, after `did` if the token was created. */
  unmake(): void {
    this.#making -= 1;
    this.#wake();
  }

  /** Calls back once when the result of `room` may have changed. */
  onChange(look: () => void): void {
    this.#waiting.push(look);
  }

  #wake(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

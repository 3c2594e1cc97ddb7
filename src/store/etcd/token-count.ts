import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Revision } from '../../discovery/types.ts';
import { tooManyTokens } from '../refusals.ts';
import { RunningCount } from './running-count.ts';

/** How many tokens there are, and whether there is room for those that are being made. */
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

  /** The watch has told every change up to a revision, which were so many more tokens. */
  told(change: number, at: Revision): void {
    this.#there.told(change, at);
    this.#wake();
  }

  /** What this process has done, by the revision that etcd gave it. */
  did(change: number, at: Revision): void {
    this.#there.did(change, at);
    if (change < 0) this.#wake();
  }

  /** How many there are, as far as this process knows. */
  count(): number {
    return this.#there.count();
  }

  /** Whether there is room for one more. WAIT: that depends on those that are being made. */
  room(): 'ROOM' | 'FULL' | 'WAIT' {
    const count = this.count();
    if (count >= this.#max) return 'FULL';
    return count + this.#making >= this.#max ? 'WAIT' : 'ROOM';
  }

  /** `read` is the revision of what the write was decided on; what filled the last place may be later. */
  refusal(read: Revision): DiscoveryError {
    const at = this.#there.latest;
    return tooManyTokens(this.#max).at(at > read ? at : read);
  }

  /** Takes room for a token that is about to be made. */
  make(): void {
    this.#making += 1;
  }

  /** It was made, or not; after `did`. */
  unmake(): void {
    this.#making -= 1;
    this.#wake();
  }

  /** Calls back once when `room` may answer otherwise. */
  onChange(look: () => void): void {
    this.#waiting.push(look);
  }

  #wake(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}

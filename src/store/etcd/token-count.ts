import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Revision } from '../../discovery/types.ts';
import { tooManyTokens } from '../refusals.ts';

/**
 * How many tokens there are: counted once in etcd, and from there on by the changes that the watch tells, with
 * those of this process at once. So it is behind by what other replicas did in the watch's delay.
 */
export class TokenCount {
  readonly #max: number;
  /** As of `#at`. */
  #counted = 0;
  #at = 0n as Revision;
  /** What this process changed, and the watch has not told yet. */
  #own: Array<{ readonly revision: Revision; readonly change: number }> = [];
  #making = 0;
  #waiting: Array<() => void> = [];

  constructor(max: number) {
    this.#max = max;
  }

  counted(count: number, at: Revision): void {
    this.#counted = count;
    this.#toldTo(at);
  }

  /** The watch has told every change up to a revision, which were so many more tokens. */
  told(change: number, at: Revision): void {
    this.#counted += change;
    this.#toldTo(at);
  }

  #toldTo(at: Revision): void {
    if (at <= this.#at) return;
    this.#at = at;
    if (this.#own.length > 0) this.#own = this.#own.filter((each) => each.revision > at);
    this.#wake();
  }

  /** What this process has done, by the revision that etcd gave it. */
  did(change: number, at: Revision): void {
    if (change !== 0 && at > this.#at) this.#own.push({ revision: at, change });
    if (change < 0) this.#wake();
  }

  /** How many there are, as far as this process knows. */
  count(): number {
    let count = this.#counted;
    for (const each of this.#own) count += each.change;
    return count;
  }

  /** Whether there is room for one more. WAIT: that depends on those that are being made. */
  room(): 'ROOM' | 'FULL' | 'WAIT' {
    const count = this.count();
    if (count >= this.#max) return 'FULL';
    return count + this.#making >= this.#max ? 'WAIT' : 'ROOM';
  }

  /** `read` is the revision of what the write was decided on; what filled the last place may be later. */
  refusal(read: Revision): DiscoveryError {
    const at = this.#own.reduce(
      (latest, each) => (each.revision > latest ? each.revision : latest),
      this.#at,
    );
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

import type { Revision } from '../../discovery/types.ts';

/**
 * RunningCount is a number that is counted at one revision and then updated with the changes that the watch
 * reports. This process's own changes are added at once; those of other replicas arrive with the delay of the
 * watch.
 */
export class RunningCount {
  /** The count at revision `#at`. */
  #counted = 0;
  #at = 0n as Revision;
  /** This process's changes that the watch has not reported yet. */
  #own: Array<{ readonly revision: Revision; readonly change: number }> = [];

  /** Sets the result of a new count. */
  counted(count: number, at: Revision): void {
    this.#counted = count;
    this.#toldTo(at);
  }

  /** Adds the sum of the changes that the watch has reported up to a revision. */
  told(change: number, at: Revision): void {
    this.#counted += change;
    this.#toldTo(at);
  }

  /** Adds a change of this process at the revision that etcd assigned. */
  did(change: number, at: Revision): void {
    if (change !== 0 && at > this.#at) this.#own.push({ revision: at, change });
  }

  /** Returns the count as far as this process knows. */
  count(): number {
    let count = this.#counted;
    for (const { change } of this.#own) count += change;
    return count;
  }

  /** Returns the revision of the latest counted change. */
  get latest(): Revision {
    return this.#own.reduce((latest, { revision }) => (revision > latest ? revision : latest), this.#at);
  }

  #toldTo(at: Revision): void {
    if (at <= this.#at) return;
    this.#at = at;
    if (this.#own.length > 0) this.#own = this.#own.filter(({ revision }) => revision > at);
  }
}

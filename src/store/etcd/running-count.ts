import type { Revision } from '../../discovery/types.ts';

/**
 * A number that etcd's changes add to: counted at one revision, and kept from there on by the changes that the watch
 * tells, with those of this process at once. So it is behind by what other replicas did in the watch's delay.
 */
export class RunningCount {
  /** As of `#at`. */
  #counted = 0;
  #at = 0n as Revision;
  /** What this process changed, and the watch has not told yet. */
  #own: Array<{ readonly revision: Revision; readonly change: number }> = [];

  /** Counted anew. */
  counted(count: number, at: Revision): void {
    this.#counted = count;
    this.#toldTo(at);
  }

  /** The watch has told every change up to a revision, which come to this one. */
  told(change: number, at: Revision): void {
    this.#counted += change;
    this.#toldTo(at);
  }

  /** What this process has done, by the revision that etcd gave it. */
  did(change: number, at: Revision): void {
    if (change !== 0 && at > this.#at) this.#own.push({ revision: at, change });
  }

  /** As far as this process knows. */
  count(): number {
    let count = this.#counted;
    for (const { change } of this.#own) count += change;
    return count;
  }

  /** The latest change that is counted. */
  get latest(): Revision {
    return this.#own.reduce((latest, { revision }) => (revision > latest ? revision : latest), this.#at);
  }

  #toldTo(at: Revision): void {
    if (at <= this.#at) return;
    this.#at = at;
    if (this.#own.length > 0) this.#own = this.#own.filter(({ revision }) => revision > at);
  }
}

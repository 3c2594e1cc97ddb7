import type { IKeyValue } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';

/** What a change has in etcd beside its key and value: its place in etcd's tree, and the key by its end time. */
const ENTRY_BYTES = 250;

/**
 * What a change takes of etcd: its key and value, which stand once more, in part, in the keys that others read, and
 * what etcd's pages have for it.
 */
export function entryBytes({ key, value }: Pick<IKeyValue, 'key' | 'value'>): number {
  return ENTRY_BYTES + 2 * (key.length + value.length);
}

/**
 * What all tokens take of etcd: read once, and from there on by the changes that the watch tells, with those of this
 * process at once. So it is behind by what other replicas did in the watch's delay, and, until all was read, by the
 * rest.
 */
export class ByteCount {
  /** Read, as of the beginning. */
  #read = 0;
  /** Told since. */
  #told = 0;
  #at = 0n as Revision;
  /** What this process wrote, and the watch has not told yet. */
  #own: Array<{ readonly revision: Revision; readonly bytes: number }> = [];

  /** Counts anew: what was there at a revision is read from now on. */
  begin(at: Revision): void {
    this.#read = 0;
    this.#told = 0;
    this.#toldTo(at);
  }

  read(bytes: number): void {
    this.#read += bytes;
  }

  told(change: number, at: Revision): void {
    this.#told += change;
    this.#toldTo(at);
  }

  did(bytes: number, at: Revision): void {
    if (at > this.#at) this.#own.push({ revision: at, bytes });
  }

  count(): number {
    let count = this.#read + this.#told;
    for (const { bytes } of this.#own) count += bytes;
    return count;
  }

  #toldTo(at: Revision): void {
    if (at > this.#at) this.#at = at;
    if (this.#own.length > 0) this.#own = this.#own.filter(({ revision }) => revision > this.#at);
  }
}

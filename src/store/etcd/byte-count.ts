import type { IKeyValue } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';
import { RunningCount } from './running-count.ts';

/**
 * Bytes of a change in etcd besides its key and value: its place in etcd's tree, and the key by its end time.
 */
const ENTRY_BYTES = 250;

/**
 * Returns the bytes of a change in etcd: its key and value, parts of which are repeated in keys for other
 * readers, and etcd's overhead in its pages.
 */
export function entryBytes({ key, value }: Pick<IKeyValue, 'key' | 'value'>): number {
  return ENTRY_BYTES + 2 * (key.length + value.length);
}

/**
 * ByteCount is the bytes of all tokens in etcd. While it is being counted anew, it lacks what has not been
 * read yet.
 */
export class ByteCount {
  readonly #changes = new RunningCount();
  /** Bytes read by the count in progress. */
  #read = 0;

  /** Starts a new count of what exists at a revision. */
  begin(at: Revision): void {
    this.#read = 0;
    this.#changes.counted(0, at);
  }

  read(bytes: number): void {
    this.#read += bytes;
  }

  told(change: number, at: Revision): void {
    this.#changes.told(change, at);
  }

  did(bytes: number, at: Revision): void {
    this.#changes.did(bytes, at);
  }

  count(): number {
    return this.#read + this.#changes.count();
  }
}

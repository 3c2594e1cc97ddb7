import type { IKeyValue } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';
import { RunningCount } from './running-count.ts';

/** What a change has in etcd beside its key and value: its place in etcd's tree, and the key by its end time. */
const ENTRY_BYTES = 250;

/**
 * What a change takes of etcd: its key and value, which stand once more, in part, in the keys that others read, and
 * what etcd's pages have for it.
 */
export function entryBytes({ key, value }: Pick<IKeyValue, 'key' | 'value'>): number {
  return ENTRY_BYTES + 2 * (key.length + value.length);
}

/** What all tokens take of etcd: less by what was not read yet, while it is counted anew. */
export class ByteCount {
  readonly #changes = new RunningCount();
  /** Read, as of the beginning. */
  #read = 0;

  /** Counts anew: what was there at a revision is read from now on. */
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

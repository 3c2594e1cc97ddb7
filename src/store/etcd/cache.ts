import type { Token } from '../../discovery/model.ts';
import { STORE_LIMITS } from '../../limits.ts';
import { advance, type ClusterRecord, type LogEntry } from './record.ts';

/**
 * Records that were read or written lately. One may be behind: each use of it is checked by etcd, and a record
 * that is behind costs its newer changes, or another call.
 */
export class Cache {
  readonly #records = new Map<Token, ClusterRecord>();
  #weight = 0;

  get(token: Token): ClusterRecord | undefined {
    return this.#records.get(token);
  }

  /** The last used ones stay. */
  put(token: Token, record: ClusterRecord): void {
    const before = this.#records.get(token);
    if (before !== undefined) {
      // Answers may come in another order than the calls went.
      if (before.cluster.modRevision > record.cluster.modRevision) return;
      this.delete(token);
    }
    this.#records.set(token, record);
    this.#weight += weightOf(record);
    if (this.#weight <= STORE_LIMITS.etcdCache) return;
    for (const oldest of this.#records.keys()) {
      if (this.#weight <= STORE_LIMITS.etcdCache) break;
      this.delete(oldest);
    }
  }

  delete(token: Token): void {
    const record = this.#records.get(token);
    if (record === undefined) return;
    this.#records.delete(token);
    this.#weight -= weightOf(record);
  }

  /** A change by another process, as the watch tells it. */
  follow(token: Token, entry: LogEntry): void {
    const record = this.#records.get(token);
    if (record === undefined || entry.number !== record.head + 1) return;
    try {
      const advanced = advance(record, [entry]);
      if (advanced !== undefined) this.put(token, advanced);
    } catch {
      // Damaged: whoever reads it is told.
      this.delete(token);
    }
  }
}

function weightOf(record: ClusterRecord): number {
  return 2 + record.cluster.members.length + record.tail.length;
}

import type { Token } from '../../discovery/types.ts';
import { advance, type ClusterRecord, type LogEntry } from './log/cluster-log.ts';

/** What is kept takes about so many bytes. */
export const WEIGHT_KEPT = 100 * 1024 * 1024;
/** A cluster without a change. */
const CLUSTER_BYTES = 512;

/**
 * Records that were read or written lately. One may be behind: each use of it is checked by etcd, and a record
 * that is behind costs its newer changes, or another call.
 */
export class Cache {
  readonly #records = new Map<Token, { readonly record: ClusterRecord; readonly weight: number }>();
  #weight = 0;

  get(token: Token): ClusterRecord | undefined {
    return this.#records.get(token)?.record;
  }

  /** The last used ones stay. */
  put(token: Token, record: ClusterRecord): void {
    const before = this.get(token);
    if (before !== undefined) {
      // Answers may come in another order than the calls went.
      if (before.cluster.modRevision > record.cluster.modRevision) return;
      this.delete(token);
    }
    const weight = weightOf(record);
    this.#records.set(token, { record, weight });
    this.#weight += weight;
    if (this.#weight <= WEIGHT_KEPT) return;
    for (const oldest of this.#records.keys()) {
      if (this.#weight <= WEIGHT_KEPT) break;
      this.delete(oldest);
    }
  }

  delete(token: Token): void {
    const entry = this.#records.get(token);
    if (entry === undefined) return;
    this.#records.delete(token);
    this.#weight -= entry.weight;
  }

  /** A change by another process, as the watch tells it. */
  follow(token: Token, entry: LogEntry): void {
    const record = this.get(token);
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

/** Members and events are all of changes, and in memory they take thrice as much. */
export function weightOf({ cluster }: ClusterRecord): number {
  return CLUSTER_BYTES + 3 * cluster.changeBytes;
}

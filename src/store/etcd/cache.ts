import type { Token } from '../../discovery/types.ts';
import { advance, type ClusterRecord, type LogEntry } from './log/cluster-log.ts';

/** Approximate bytes of the cache. */
export const WEIGHT_KEPT = 100 * 1024 * 1024;
/** Bytes of a cluster without changes. */
const CLUSTER_BYTES = 512;

/**
 * Cache holds recently read or written records. A record may be outdated: etcd checks each use, and an
 * outdated record costs reading its newer changes, or another call.
 */
export class Cache {
  readonly #records = new Map<Token, { readonly record: ClusterRecord; readonly weight: number }>();
  #weight = 0;

  get(token: Token): ClusterRecord | undefined {
    return this.#records.get(token)?.record;
  }

  /** Keeps the most recently used records. */
  put(token: Token, record: ClusterRecord): void {
    const before = this.get(token);
    if (before !== undefined) {
      // Responses may arrive in a different order than the calls were sent.
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

  /** Applies another process's change, as reported by the watch. */
  follow(token: Token, entry: LogEntry): void {
    const record = this.get(token);
    if (record === undefined || entry.number !== record.head + 1) return;
    try {
      const advanced = advance(record, [entry]);
      if (advanced !== undefined) this.put(token, advanced);
    } catch {
      // Damaged: its readers get the error.
      this.delete(token);
    }
  }
}

/** Members and events account for the size of changes, and take three times as much in memory. */
export function weightOf({ cluster }: ClusterRecord): number {
  return CLUSTER_BYTES + 3 * cluster.changeBytes;
}

import type { Event } from '../../discovery/change.ts';
import type { Revision, Token } from '../../discovery/types.ts';
import type { StoredCluster } from './codec.ts';

/** CachedCluster is a cluster as on disk, with its latest events. Immutable. */
export interface CachedCluster extends StoredCluster {
  /** Every event after `recentAfter`, in order. */
  readonly recent: readonly Event[];
  readonly recentAfter: Revision;
}

/** Approximate bytes of the cache of decoded clusters. */
const DECODED_KEPT = 10 * 1024 * 1024;
/** Bytes of a cluster without changes. */
const CLUSTER_BYTES = 512;
/**
 * The number of tokens for which it is known whether they were read before, as long as no more than this many
 * others were.
 */
const REMEMBERED = 4096;

/**
 * ClusterCache holds the most recently used clusters, in two generations: clusters that were not used while
 * the younger generation filled up are dropped.
 */
export class ClusterCache {
  readonly #asked = new Int32Array(REMEMBERED);
  #young = new Map<Token, CachedCluster>();
  #old = new Map<Token, CachedCluster>();
  #youngWeight = 0;

  get(token: Token): CachedCluster | undefined {
    const found = this.#young.get(token);
    if (found !== undefined) return found;
    const old = this.#old.get(token);
    if (old !== undefined) this.set(token, old);
    return old;
  }

  set(token: Token, entry: CachedCluster): void {
    const before = this.#young.get(token);
    if (before !== undefined) this.#youngWeight -= weightOf(before);
    this.#young.set(token, entry);
    this.#youngWeight += weightOf(entry);
    if (this.#youngWeight <= DECODED_KEPT / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
  }

  /**
   * Whether a cluster that was read from disk is worth caching because it was read before. Caching one that
   * is read once costs more in garbage collection than reading it.
   */
  isWanted(token: Token): boolean {
    let hash = 1;
    for (let i = 0; i < token.length; i++) hash = (Math.imul(hash, 31) + token.charCodeAt(i)) | 0;
    const place = hash & (REMEMBERED - 1);
    const isAgain = this.#asked[place] === hash;
    this.#asked[place] = hash;
    return isAgain;
  }

  delete(token: Token): void {
    const before = this.#young.get(token);
    if (before !== undefined) this.#youngWeight -= weightOf(before);
    this.#young.delete(token);
    this.#old.delete(token);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngWeight = 0;
  }
}

/** Members and events account for the size of changes, and take three times as much when decoded. */
function weightOf({ cluster }: CachedCluster): number {
  return CLUSTER_BYTES + 3 * cluster.changeBytes;
}

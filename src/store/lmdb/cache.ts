import type { Event } from '../../discovery/change.ts';
import type { Revision, Token } from '../../discovery/types.ts';
import type { StoredCluster } from './codec.ts';

/** A cluster as it stands on disk, with the latest of its events. Never changed in place. */
export interface CachedCluster extends StoredCluster {
  /** Every event after `recentAfter`, in order. */
  readonly recent: readonly Event[];
  readonly recentAfter: Revision;
}

/** What is kept decoded takes about so many bytes. */
const DECODED_KEPT = 10 * 1024 * 1024;
/** A cluster without a change. */
const CLUSTER_BYTES = 512;
/** Tokens of which one knows whether they were asked for before, while hardly as many others were. */
const REMEMBERED = 4096;

/**
 * The clusters that were asked for last. In two generations: what nobody asked for while the younger one
 * filled up is dropped.
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
   * Whether a cluster that was read from disk is asked for again, and worth keeping. One that is asked for once costs
   * more to keep, in garbage collection, than it did to read.
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

/** Members and events are all of changes, and decoded they take thrice as much. */
function weightOf({ cluster }: CachedCluster): number {
  return CLUSTER_BYTES + 3 * cluster.changeBytes;
}

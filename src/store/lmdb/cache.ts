import type { Event } from '../../discovery/change.ts';
import type { Revision, Token } from '../../discovery/types.ts';
import type { StoredCluster } from './codec.ts';

/** A cluster as it stands on disk, with the latest of its events. Never changed in place. */
export interface CachedCluster extends StoredCluster {
  /** Every event after `recentAfter`, in order. */
  readonly recent: readonly Event[];
  readonly recentAfter: Revision;
}

/** Clusters, peer URLs and events that are kept decoded, at half a kilobyte each: 10 MB. */
const DECODED_KEPT = 20_000;
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

function weightOf({ cluster, recent }: CachedCluster): number {
  let weight = 1 + recent.length;
  for (const { peerUrls } of cluster.members) weight += peerUrls.length;
  // The last event of a deleted token holds everyone who went with it.
  for (const { peerUrls } of recent.at(-1)?.removed ?? []) weight += peerUrls.length;
  return weight;
}

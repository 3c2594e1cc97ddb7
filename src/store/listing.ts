import { DiscoveryError } from '../discovery/errors.ts';
import type { OnDamaged } from '../discovery/store.ts';
import type { Cluster, Token } from '../discovery/types.ts';

/**
 * ClusterListing is a part of the list of clusters, in order. A damaged cluster is skipped and reported if there is
 * a callback, and ends the list otherwise. Only those before the last one of the part are reported, because
 * the next part starts after that one.
 */
export class ClusterListing {
  readonly clusters: Cluster[] = [];
  readonly #onDamaged: OnDamaged | undefined;
  #waiting: Array<{ readonly token: Token; readonly problem: DiscoveryError }> = [];

  constructor(onDamaged: OnDamaged | undefined) {
    this.#onDamaged = onDamaged;
  }

  /** `decode` returns undefined for a cluster that no longer exists, and throws for a damaged one. */
  add(token: Token, decode: () => Cluster | undefined): void {
    try {
      const cluster = decode();
      if (cluster === undefined) return;
      this.clusters.push(cluster);
      this.#tell();
    } catch (thrown) {
      if (this.#onDamaged === undefined || !isDamage(thrown)) throw thrown;
      this.#waiting.push({ token, problem: thrown });
    }
  }

  /** Returns the clusters: nothing follows, or the part is full. */
  end(): readonly Cluster[] {
    if (this.clusters.length === 0) this.#tell();
    return this.clusters;
  }

  #tell(): void {
    for (const { token, problem } of this.#waiting.splice(0)) this.#onDamaged?.(token, problem);
  }
}

function isDamage(thrown: unknown): thrown is DiscoveryError {
  return thrown instanceof DiscoveryError && thrown.reason === 'INTERNAL';
}

import { DiscoveryError } from '../discovery/errors.ts';
import type { OnDamaged } from '../discovery/store.ts';
import type { Cluster, Token } from '../discovery/types.ts';

/**
 * A part of the list of clusters, in their order. A damaged one is left out where somebody is told of it, and ends the
 * list where nobody is. Told are those before the last one of the part, as the next part begins behind that.
 */
export class Listing {
  readonly clusters: Cluster[] = [];
  readonly #onDamaged: OnDamaged | undefined;
  #waiting: Array<{ readonly token: Token; readonly problem: DiscoveryError }> = [];

  constructor(onDamaged: OnDamaged | undefined) {
    this.#onDamaged = onDamaged;
  }

  /** `decode` gives nothing for what is no cluster any more, and throws for what is damaged. */
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

  /** Nothing follows, or so much that the part is over. */
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

import type { Revision, Token } from '../../discovery/types.ts';
import type { Folded } from './log/cluster-log.ts';

/**
 * Logs kept for readers that read a long history in parts: 8 of at most 3 MB each, which take three times as
 * much in memory.
 */
const KEPT = 8;

/** Histories caches the complete logs that were read last. */
export class Histories {
  readonly #kept = new Map<Token, Folded>();

  /** Returns undefined if the cached log does not include the token's last change. */
  upTo(token: Token, last: Revision): Folded | undefined {
    const found = this.#kept.get(token);
    if (found?.record.cluster.modRevision !== last) return undefined;
    this.put(token, found);
    return found;
  }

  put(token: Token, folded: Folded): void {
    this.#kept.delete(token);
    this.#kept.set(token, folded);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

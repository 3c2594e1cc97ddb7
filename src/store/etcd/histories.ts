import type { Revision, Token } from '../../discovery/types.ts';
import type { Folded } from './log/cluster-log.ts';

/** Whoever reads a long history in parts finds it here each time: 8 of at most 3 MB each, which take thrice as much. */
const KEPT = 8;

/** The whole logs that were read last. */
export class Histories {
  readonly #kept = new Map<Token, Folded>();

  /** Undefined when it is not known up to the last change of the token. */
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

import type { Change } from '../../discovery/change.ts';
import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Policy } from '../../discovery/policy.ts';
import { type BytesBound, bytesBound, refusedFor, tooManyTokens } from '../refusals.ts';

/** Changes that are accepted without room, because they free some. */
const MAKES_ROOM: ReadonlySet<Change['type']> = new Set(['TOKEN_DELETED', 'DEREGISTERED']);

/** The state of the store before a change. */
interface Held {
  readonly tokens: number;
  readonly bytes: number;
  /** Why the disk accepts no more writes. */
  readonly shortage: DiscoveryError | undefined;
}

/** Admission rejects changes for which the store has no room. */
export class Admission {
  readonly #maxTokens: number;
  readonly #bound: BytesBound;

  constructor({ maxTokens, maxBytes }: Pick<Policy, 'maxTokens' | 'maxBytes'>) {
    this.#maxTokens = maxTokens;
    this.#bound = bytesBound(maxBytes);
  }

  /** Throws if there is no room for the change. */
  admit(change: Change, { tokens, bytes, shortage }: Held): void {
    if (change.type === 'CREATED' && tokens >= this.#maxTokens) throw tooManyTokens(this.#maxTokens);
    if (shortage !== undefined && !MAKES_ROOM.has(change.type)) throw shortage;
    const refused = refusedFor(change, bytes, this.#bound);
    if (refused !== undefined) throw refused;
  }
}

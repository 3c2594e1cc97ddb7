import type { Change } from '../../discovery/change.ts';
import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Policy } from '../../discovery/policy.ts';
import { type BytesBound, bytesBound, refusedFor, tooManyTokens } from '../refusals.ts';

/** Changes that are taken when there is no room: they make some. */
const MAKES_ROOM: ReadonlySet<Change['type']> = new Set(['TOKEN_DELETED', 'DEREGISTERED']);

/** What there is before a change. */
interface Held {
  readonly tokens: number;
  readonly bytes: number;
  /** Why the disk takes no more. */
  readonly shortage: DiscoveryError | undefined;
}

/** What the store has no room for. */
export class Admission {
  readonly #maxTokens: number;
  readonly #bound: BytesBound;

  constructor({ maxTokens, maxBytes }: Pick<Policy, 'maxTokens' | 'maxBytes'>) {
    this.#maxTokens = maxTokens;
    this.#bound = bytesBound(maxBytes);
  }

  /** Throws when there is no room for it. */
  admit(change: Change, { tokens, bytes, shortage }: Held): void {
    if (change.type === 'CREATED' && tokens >= this.#maxTokens) throw tooManyTokens(this.#maxTokens);
    if (shortage !== undefined && !MAKES_ROOM.has(change.type)) throw shortage;
    const refused = refusedFor(change, bytes, this.#bound);
    if (refused !== undefined) throw refused;
  }
}

import { isSecretHash } from '../discovery/access.ts';
import type { DiscoveryError } from '../discovery/errors.ts';
import { ACCESSES, type Access, type Locks, type PeerUrl, type SecretHash } from '../discovery/types.ts';

/**
 * Decoder checks that stored values are as this program writes them, and otherwise throws the error that
 * `damaged` returns.
 */
export class Decoder {
  readonly #holder: string;
  readonly #damaged: (what: string) => DiscoveryError;

  /** `holder` names what contains the values: `record`. */
  constructor(holder: string, damaged: (what: string) => DiscoveryError) {
    this.#holder = holder;
    this.#damaged = damaged;
  }

  integer(value: unknown): number {
    if (Number.isSafeInteger(value)) return value as number;
    throw this.#isNot('a number');
  }

  text(value: unknown): string {
    if (typeof value === 'string') return value;
    throw this.#isNot('a string');
  }

  flag(value: unknown): boolean {
    if (typeof value === 'boolean') return value;
    throw this.#isNot('true or false');
  }

  peerUrls(value: unknown): readonly PeerUrl[] {
    if (!Array.isArray(value) || value.length === 0) throw this.#damaged('a member has no peer URLs');
    for (const url of value) this.text(url);
    return value as PeerUrl[];
  }

  /** Reads the hash of each guarded access. Undefined for the others. */
  locks(hashOf: (access: Access) => unknown): Locks {
    const locks: Partial<Record<Access, SecretHash>> = {};
    for (const access of ACCESSES) {
      const hash = hashOf(access);
      if (hash === undefined) continue;
      if (typeof hash !== 'string' || !isSecretHash(hash)) throw this.#damaged('a lock is not a hash');
      locks[access] = hash;
    }
    return locks;
  }

  #isNot(what: string): DiscoveryError {
    return this.#damaged(`a ${this.#holder} has an invalid value: expected ${what}`);
  }
}

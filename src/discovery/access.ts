import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DiscoveryError } from './errors.ts';
import { ACCESSES, type Access, type Locks, type Revision, type SecretHash } from './types.ts';

export function isSecretHash(text: string): text is SecretHash {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Caller is the identity of a caller, what that identity allows, and the secret that came with the call. */
export interface Caller {
  /** The name of the credential that identified the caller. */
  readonly name?: string | undefined;
  readonly mayCreate: boolean;
  /** Whether the caller may use tokens that are not guarded by a secret. */
  readonly mayUse: boolean;
  /** The hash of the secret that came with the call. */
  readonly proof?: SecretHash | undefined;
  /**
   * Set when another site may have caused the call through a browser: such a call may read but not change.
   */
  readonly isLed?: boolean;
  /** Whether the caller presented valid credentials. */
  readonly isKnown?: boolean;
  /** Whether the caller may list all clusters of the service. */
  readonly isOperator?: boolean;
}

/** ANYONE is every caller of a service that does not authenticate callers. */
export const ANYONE: Caller = { mayCreate: true, mayUse: true };

export function hashSecret(secret: string): SecretHash {
  return createHash('sha256').update(secret).digest('hex') as SecretHash;
}

export function issueSecret(): string {
  return randomBytes(24).toString('base64url');
}

/** Compares in constant time, so that the duration does not reveal how many digits match. */
function sameHash(a: SecretHash, b: SecretHash): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Throws if the caller may not create tokens. */
export function authorizeMaker({ mayCreate, proof, isLed }: Caller): void {
  if (isLed === true) throw led();
  if (!mayCreate) throw unauthenticated('creating tokens requires', proof);
}

const HOW_OPERATORS =
  'create them with etcd-discovery credential NAME --operator and list them in --auth-file';

/** Throws if the caller may not list all clusters. */
export function authorizeOperator({ isOperator, isKnown, name, proof }: Caller): void {
  if (isOperator === true) return;
  if (isKnown === true) {
    const who = name === undefined ? 'this client certificate' : name;
    throw new DiscoveryError(
      'FORBIDDEN',
      `${who} is not an operator; use an operator's credentials (${HOW_OPERATORS})`,
    );
  }
  const unknown = proof === undefined ? '' : 'unknown credentials; ';
  throw new DiscoveryError(
    'UNAUTHENTICATED',
    `${unknown}this call requires an operator's credentials; ${HOW_OPERATORS}`,
  );
}

/**
 * Throws if the caller does not have this access to a token. `locks` is undefined for a token that does not
 * exist or is not guarded. An access requires the secret of the highest guarded access up to it, or of a
 * higher one.
 */
export function authorize(
  locks: Locks | undefined,
  needed: Access,
  caller: Caller,
  revision?: Revision,
): void {
  const { proof, mayUse, isLed } = caller;
  // Only the revision: this caller must not learn anything about the cluster.
  const facts = revision === undefined ? {} : { revision };
  if (isLed === true && needed !== 'READ') throw led(facts);
  const level = ACCESSES.indexOf(needed);
  const required = ACCESSES.findLastIndex((access, i) => i <= level && locks?.[access] !== undefined);
  const opens = (access: Access, i: number): boolean => {
    const lock = locks?.[access];
    return i >= required && lock !== undefined && proof !== undefined && sameHash(lock, proof);
  };
  if (locks !== undefined && ACCESSES.some(opens)) return;
  if (required < 0) {
    if (!mayUse) throw unauthenticated('this service requires', proof, facts);
    return;
  }
  if (proof === undefined) {
    throw new DiscoveryError(
      'UNAUTHENTICATED',
      'this token requires a secret; pass TOKEN:SECRET (the creator of the token has the secret)',
      facts,
    );
  }
  throw new DiscoveryError(
    'FORBIDDEN',
    `this secret does not allow ${WORDS[needed]}; ask the creator of the token for one that does`,
    facts,
  );
}

const WORDS = {
  READ: 'reading the cluster',
  JOIN: 'registering members',
  ADMINISTER: 'removing or replacing members, or deleting or reopening the token',
} as const satisfies Record<Access, string>;

function led(facts = {}): DiscoveryError {
  return new DiscoveryError(
    'FORBIDDEN',
    'rejected a request that another site made with credentials stored in the browser; repeat it on the page of the service, or send the secret as a bearer token',
    facts,
  );
}

function unauthenticated(what: string, proof: SecretHash | undefined, facts = {}): DiscoveryError {
  const text =
    proof === undefined
      ? `${what} credentials; ask the operator of the service for them`
      : `unknown credentials; ${what} credentials from the operator of the service`;
  return new DiscoveryError('UNAUTHENTICATED', text, facts);
}

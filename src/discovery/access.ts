import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DiscoveryError } from './errors.ts';
import { ACCESSES, type Access, type Locks, type Revision, type SecretHash } from './types.ts';

export function isSecretHash(text: string): text is SecretHash {
  return /^[0-9a-f]{64}$/.test(text);
}

/** What a caller is let do because of who it is, and what it has to show for the rest. */
export interface Caller {
  /** Of the credential by which it is known. */
  readonly name?: string | undefined;
  readonly mayCreate: boolean;
  /** Whether it may use tokens that no secret guards. */
  readonly mayUse: boolean;
  /** Of the secret that came with the call. */
  readonly proof?: SecretHash | undefined;
  /** Somebody else may have had the call sent in its name: it may look, and change nothing. */
  readonly isLed?: boolean;
  /** Whether its credentials are known. */
  readonly isKnown?: boolean;
  /** Whether it may see all clusters of the service. */
  readonly isOperator?: boolean;
}

/** Whoever calls a service that asks nobody who it is. */
export const ANYONE: Caller = { mayCreate: true, mayUse: true };

export function hashSecret(secret: string): SecretHash {
  return createHash('sha256').update(secret).digest('hex') as SecretHash;
}

export function issueSecret(): string {
  return randomBytes(24).toString('base64url');
}

/** In a time that does not tell how much of them is the same. */
function sameHash(a: SecretHash, b: SecretHash): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Refuses a caller that may not make tokens. */
export function authorizeMaker({ mayCreate, proof, isLed }: Caller): void {
  if (isLed === true) throw led();
  if (!mayCreate) throw unauthenticated('makes tokens only for callers that it knows', proof);
}

const HOW_OPERATORS =
  'etcd-discovery credential NAME --operator makes them, and the service takes them from its --auth-file';

/** Refuses a caller that may not see what all tokens are. */
export function authorizeOperator({ isOperator, isKnown, name, proof }: Caller): void {
  if (isOperator === true) return;
  if (isKnown === true) {
    const who = name === undefined ? 'this client certificate' : name;
    throw new DiscoveryError(
      'FORBIDDEN',
      `this is for the operators of the service, and ${who} is none of them; use the credentials of one (${HOW_OPERATORS})`,
    );
  }
  const which = proof === undefined ? 'come with' : 'these credentials are not known: use';
  throw new DiscoveryError(
    'UNAUTHENTICATED',
    `this is for the operators of the service; ${which} the credentials of one (${HOW_OPERATORS})`,
  );
}

/**
 * Refuses a caller that may not have this access to a token; undefined locks are those of a token that is not
 * there, or is not guarded. An access needs the secret of the highest guarded one up to it, or of a higher one.
 */
export function authorize(
  locks: Locks | undefined,
  needed: Access,
  caller: Caller,
  revision?: Revision,
): void {
  const { proof, mayUse, isLed } = caller;
  // Nothing else: the refusal goes to whom the cluster must not be told.
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
    if (!mayUse) throw unauthenticated('answers only callers that it knows', proof, facts);
    return;
  }
  if (proof === undefined) {
    throw new DiscoveryError(
      'UNAUTHENTICATED',
      'this token requires a secret: pass TOKEN:SECRET (its creator has the secret)',
      facts,
    );
  }
  throw new DiscoveryError(
    'FORBIDDEN',
    `this secret does not allow its holder to ${WORDS[needed]}; ask the creator of the token for one that does`,
    facts,
  );
}

const WORDS = {
  READ: 'look at the cluster',
  JOIN: 'register members',
  ADMINISTER: 'take members out or replace them, delete the token or reopen it',
} as const satisfies Record<Access, string>;

function led(facts = {}): DiscoveryError {
  return new DiscoveryError(
    'FORBIDDEN',
    'a page of another site had the browser send this, with credentials that the browser keeps, and nothing was done; do it from here, or show the secret as a bearer',
    facts,
  );
}

function unauthenticated(what: string, proof: SecretHash | undefined, facts = {}): DiscoveryError {
  const which =
    proof === undefined ? 'come with the credentials' : 'these credentials are not known: use those';
  return new DiscoveryError(
    'UNAUTHENTICATED',
    `this service ${what}; ${which} that its operator has given out`,
    facts,
  );
}

import type { Change } from '../discovery/change.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Revision } from '../discovery/types.ts';
import { STORE_LIMITS } from '../limits.ts';
import { formatBytes } from '../values/bytes.ts';

// Errors that all stores share.

/** Returns the error for something that the store cannot do, with a message for the operator. */
export function unavailable(message: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError('STORE_UNAVAILABLE', message, { cause });
}

export function closed(cause?: unknown): DiscoveryError {
  return unavailable('the store is closed', cause);
}

export function tooManyTokens(max: number): DiscoveryError {
  return new DiscoveryError(
    'TOO_MANY_TOKENS',
    `the service has reached its limit of ${max} tokens; try again when old ones have been removed`,
  );
}

/**
 * BytesBound limits the bytes of tokens in a store: new tokens up to `most`, changes to existing ones up to
 * `all`.
 */
export interface BytesBound {
  readonly most: number;
  readonly all: number;
}

export function bytesBound(most: number): BytesBound {
  return { most, all: Math.floor(most * (1 + STORE_LIMITS.bytesMargin)) };
}

/** Returns the error for a change to a store that holds this many bytes. Deletions are always accepted. */
export function refusedFor(
  change: Pick<Change, 'type'>,
  bytes: number,
  { most, all }: BytesBound,
): DiscoveryError | undefined {
  if (change.type === 'CREATED' && bytes >= most) {
    return new DiscoveryError(
      'TOO_MANY_TOKENS',
      `the tokens of the service use ${formatBytes(bytes)}, and the limit is ${formatBytes(most)}; try again when old ones have been removed`,
    );
  }
  if (change.type === 'TOKEN_DELETED' || bytes < all) return undefined;
  return unavailable(`nothing was changed: ${fullWith(bytes, all)}`);
}

/** Returns why changes are rejected. Undefined while they are accepted. */
export function fullWith(bytes: number, all: number): string {
  return `the tokens of the service use ${formatBytes(bytes)}, and it rejects changes at ${formatBytes(all)}; try again when old ones have been removed`;
}

/** Returns the error for a history that is only complete after `compactRevision`. */
export function compacted(
  after: Revision,
  { revision, compactRevision }: { readonly revision: Revision; readonly compactRevision: Revision },
): DiscoveryError {
  return new DiscoveryError(
    'REVISION_COMPACTED',
    `some changes after revision ${after} are no longer available; watch again without a revision to start from the current members`,
    { revision, compactRevision },
  );
}

export function nothingDecided(): DiscoveryError {
  return bug(new TypeError('there is no change for a token that does not exist'));
}

/** Returns a DiscoveryError unchanged. Anything else is a bug. */
export function storeRefusalOf(thrown: unknown): DiscoveryError {
  return thrown instanceof DiscoveryError ? thrown : bug(thrown);
}

function bug(error: unknown): DiscoveryError {
  const detail = error instanceof Error ? error.message : String(error);
  return new DiscoveryError('INTERNAL', `the service has a bug, please report it: ${detail}`, {
    cause: error,
  });
}

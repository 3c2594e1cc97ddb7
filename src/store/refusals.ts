import type { Change } from '../discovery/change.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Revision } from '../discovery/types.ts';
import { STORE_LIMITS } from '../limits.ts';
import { formatBytes } from '../values/bytes.ts';

// What every store refuses alike.

/** What the store cannot do, in words for the operator. */
export function unavailable(message: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError('STORE_UNAVAILABLE', message, { cause });
}

export function closed(cause?: unknown): DiscoveryError {
  return unavailable('the store is closed', cause);
}

export function tooManyTokens(max: number): DiscoveryError {
  return new DiscoveryError(
    'TOO_MANY_TOKENS',
    `the service holds ${max} tokens, as many as its operator allows; try again when old ones have ended`,
  );
}

/** Bytes of tokens that a store takes: new tokens up to `most`, and what comes to those that there are up to `all`. */
export interface BytesBound {
  readonly most: number;
  readonly all: number;
}

export function bytesBound(most: number): BytesBound {
  return { most, all: Math.floor(most * (1 + STORE_LIMITS.bytesMargin)) };
}

/** What a store that holds so many bytes refuses of a change. Deletions are always taken. */
export function refusedFor(
  change: Pick<Change, 'type'>,
  bytes: number,
  { most, all }: BytesBound,
): DiscoveryError | undefined {
  if (change.type === 'CREATED' && bytes >= most) {
    return new DiscoveryError(
      'TOO_MANY_TOKENS',
      `the tokens that the service holds take ${formatBytes(bytes)}, and its operator allows ${formatBytes(most)}; try again when old ones have ended`,
    );
  }
  if (change.type === 'TOKEN_DELETED' || bytes < all) return undefined;
  return unavailable(`nothing was changed: ${fullWith(bytes, all)}`);
}

/** Undefined while changes are taken. */
export function fullWith(bytes: number, all: number): string {
  return `the tokens of the service take ${formatBytes(bytes)}, and it stops at ${formatBytes(all)}; try again when old ones have ended`;
}

/** Of the changes after a revision some are no longer held: all are after `compactRevision`. */
export function compacted(
  after: Revision,
  { revision, compactRevision }: { readonly revision: Revision; readonly compactRevision: Revision },
): DiscoveryError {
  return new DiscoveryError(
    'REVISION_COMPACTED',
    `the changes after revision ${after} are no longer all held; watch again without a revision, which begins with the members as they are`,
    { revision, compactRevision },
  );
}

export function nothingDecided(): DiscoveryError {
  return bug(new TypeError('nothing was decided for a token that is not there'));
}

/** A refusal as it is; all else is a bug. */
export function refusalOf(thrown: unknown): DiscoveryError {
  return thrown instanceof DiscoveryError ? thrown : bug(thrown);
}

function bug(error: unknown): DiscoveryError {
  const detail = error instanceof Error ? error.message : String(error);
  return new DiscoveryError('INTERNAL', `the service has a bug, please report it: ${detail}`, {
    cause: error,
  });
}

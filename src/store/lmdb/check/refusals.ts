import { DiscoveryError } from '../../../discovery/errors.ts';
import { unavailable } from '../../refusals.ts';

/** What stands on disk is not what this program wrote there. */
export function damaged(what: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError(
    'INTERNAL',
    `the data in the data directory is damaged: ${what}; restore the directory from a backup, or start with an empty one`,
    { cause },
  );
}

/** The same of what is one token's, while the others are whole. */
export function damagedRecord(what: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError(
    'INTERNAL',
    `the data of this token is damaged: ${what}; other tokens are served; use a new token, or restore the data directory from a backup`,
    { cause },
  );
}

/** The file is LMDB's, and not ours. */
export function foreign(): DiscoveryError {
  return unavailable(
    'the data in the data directory was written by another program; choose an empty or new data directory',
  );
}

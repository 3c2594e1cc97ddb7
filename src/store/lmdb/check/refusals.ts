import { DiscoveryError } from '../../../discovery/errors.ts';
import { unavailable } from '../../refusals.ts';

/** Returns the error for data on disk that this program did not write. */
export function damagedFile(what: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError(
    'INTERNAL',
    `the data in the data directory is damaged: ${what}; restore the directory from a backup, or start with an empty one`,
    { cause },
  );
}

/** Returns the same error for the data of one token, while the others are intact. */
export function damagedRecord(what: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError(
    'INTERNAL',
    `the data of this token is damaged: ${what}; other tokens are served; use a new token, or restore the data directory from a backup`,
    { cause },
  );
}

/** Returns the error for an LMDB file of another program. */
export function foreign(): DiscoveryError {
  return unavailable(
    'the data in the data directory was written by another program; choose an empty or new data directory',
  );
}

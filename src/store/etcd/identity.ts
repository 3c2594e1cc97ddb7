import { randomBytes } from 'node:crypto';
import type { EtcdConnection } from './client/connection.ts';
import type { Keys } from './log/keys.ts';
import { isAbsent, putOperation } from './log/operations.ts';
import { patiently } from './patiently.ts';
import { checkPrefix, type FreePrefix } from './prefix.ts';

/** As many as a SHA-256. */
const KEY_BYTES = 32;

/** DataIdentity is what the data below a prefix keeps for its lifetime: its name, and the secret key. */
export interface DataIdentity {
  readonly clusterId: bigint;
  readonly key: Uint8Array;
}

/**
 * Checks that the prefix can be used, see `checkPrefix`. A read-only user creates no tokens and writes no
 * key.
 */
export async function identityBelow(
  connection: EtcdConnection,
  keys: Keys,
  prefix: string,
  free: FreePrefix = 'TAKE',
): Promise<DataIdentity> {
  const clusterId = await checkPrefix(connection, keys, prefix, free);
  const key = free === 'TAKE' ? await sharedKey(connection, keys) : randomBytes(KEY_BYTES);
  return { clusterId, key };
}

/** Returns the key that all replicas share. The first replica creates it. */
async function sharedKey(connection: EtcdConnection, keys: Keys): Promise<Uint8Array> {
  return patiently(async () => {
    // Read first, because a full etcd rejects every write, whatever its outcome.
    const found = await read(connection, keys);
    if (found !== undefined) return found;
    const made = randomBytes(KEY_BYTES);
    await connection.txn({
      compare: [isAbsent(keys.key)],
      success: [putOperation(keys.key, made)],
      failure: [],
    });
    return (await read(connection, keys)) ?? made;
  });
}

async function read(connection: EtcdConnection, keys: Keys): Promise<Uint8Array | undefined> {
  const { responses } = await connection.txn({
    compare: [],
    success: [{ request_range: { key: keys.key } }],
    failure: [],
  });
  const [found] = responses[0]?.response_range.kvs ?? [];
  return found?.value;
}

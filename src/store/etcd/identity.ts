import { randomBytes } from 'node:crypto';
import type { Connection } from './client/connection.ts';
import type { Keys } from './log/keys.ts';
import { isAbsent, put } from './log/operations.ts';
import { patiently } from './patiently.ts';
import { checkPrefix, type FreePrefix } from './prefix.ts';

/** As many as of a SHA-256. */
const KEY_BYTES = 32;

/** What the data below a prefix has for as long as it lives: its name, and what is never told. */
export interface Identity {
  readonly clusterId: bigint;
  readonly key: Uint8Array;
}

/** Checks that the prefix can be used, see `checkPrefix`. Whoever only reads makes no tokens, and writes no key. */
export async function identityBelow(
  connection: Connection,
  keys: Keys,
  prefix: string,
  free: FreePrefix = 'TAKE',
): Promise<Identity> {
  const clusterId = await checkPrefix(connection, keys, prefix, free);
  const key = free === 'TAKE' ? await sharedKey(connection, keys) : randomBytes(KEY_BYTES);
  return { clusterId, key };
}

/** The key that all replicas have: the first of them makes it. */
async function sharedKey(connection: Connection, keys: Keys): Promise<Uint8Array> {
  return patiently(async () => {
    // Without a write, which an etcd that is full refuses whatever comes of it.
    const found = await read(connection, keys);
    if (found !== undefined) return found;
    const made = randomBytes(KEY_BYTES);
    await connection.txn({ compare: [isAbsent(keys.key)], success: [put(keys.key, made)], failure: [] });
    return (await read(connection, keys)) ?? made;
  });
}

async function read(connection: Connection, keys: Keys): Promise<Uint8Array | undefined> {
  const { responses } = await connection.txn({
    compare: [],
    success: [{ request_range: { key: keys.key } }],
    failure: [],
  });
  const [found] = responses[0]?.response_range.kvs ?? [];
  return found?.value;
}

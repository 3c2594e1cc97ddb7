import { randomBytes } from 'node:crypto';
import { isBeforeGrpc } from '../../values/etcd-version.ts';
import { unavailable } from '../refusals.ts';
import type { Connection } from './client/connection.ts';
import type { Keys } from './log/keys.ts';
import { isAbsent, put } from './log/operations.ts';
import { patiently } from './patiently.ts';

const FORMAT = 'etcd-discovery';
/** Grows when what is written could no longer be read by those before. */
const FORMAT_VERSION = 1;
/** Older ones have no nested transactions of this size, nor the lease and watch calls as they are used. */
const OLDEST = [3, 4] as const;

interface FormatRecord {
  readonly format: string;
  readonly version: number;
  readonly clusterId: string;
}

/** What becomes of a prefix that is free: it is taken, left as it is and read as empty, or refused. */
export type FreePrefix = 'TAKE' | 'LEAVE' | 'REFUSE';

/** Checks that etcd can be used and that the prefix is this service's, or free. Returns the cluster id. */
export async function checkPrefix(
  connection: Connection,
  keys: Keys,
  prefix: string,
  free: FreePrefix = 'TAKE',
): Promise<bigint> {
  return patiently(async () => {
    checkVersion(await connection.version());
    for (;;) {
      const { succeeded, responses } = await connection.txn({
        compare: [isAbsent(keys.format)],
        success: [{ request_range: { ...keys.all, limit: 1, keys_only: true } }],
        failure: [{ request_range: { key: keys.format } }],
      });
      const [found] = responses[0]?.response_range.kvs ?? [];
      if (!succeeded && found !== undefined) return checkFormat(found.value, prefix);
      if (found !== undefined) throw foreign(prefix);
      if (free === 'LEAVE') return 0n;
      if (free === 'REFUSE') {
        throw unavailable(`etcd has no tokens below ${prefix}; name the prefix with --etcd-prefix`);
      }
      const clusterId = randomBytes(8).toString('hex');
      const record: FormatRecord = { format: FORMAT, version: FORMAT_VERSION, clusterId };
      // Another replica may be doing the same: the first one's stays.
      await connection.txn({
        compare: [isAbsent(keys.format)],
        success: [put(keys.format, Buffer.from(JSON.stringify(record)))],
        failure: [],
      });
    }
  });
}

/** Throws when an etcd is too old for the store. */
export function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  const next = isBeforeGrpc(version)
    ? 'upgrade it, or use another store and take over what a Go discovery service keeps in this one (etcd-discovery import --from-discoveryserver URL)'
    : 'upgrade it';
  throw unavailable(
    `this etcd is version ${version}, and the store needs ${OLDEST.join('.')} or newer; ${next}`,
  );
}

function checkFormat(value: Buffer, prefix: string): bigint {
  let record: Partial<FormatRecord>;
  try {
    record = JSON.parse(value.toString()) as Partial<FormatRecord>;
  } catch {
    record = {};
  }
  const { format, version, clusterId } = record;
  if (format !== FORMAT || typeof version !== 'number' || !/^[0-9a-f]{16}$/.test(clusterId ?? '')) {
    throw foreign(prefix);
  }
  if (version > FORMAT_VERSION) {
    throw unavailable(
      `the keys in etcd below ${prefix} were written by a newer etcd-discovery (format ${version}, and this one reads ${FORMAT_VERSION}); run that version or a later one`,
    );
  }
  return BigInt(`0x${clusterId}`);
}

// The keys are not named: they may hold tokens.
function foreign(prefix: string): Error {
  return unavailable(
    `etcd has keys below ${prefix} that etcd-discovery did not write (etcdctl get --prefix --keys-only ${prefix}/ shows them); choose another --etcd-prefix, or delete them (etcdctl del --prefix ${prefix}/)`,
  );
}

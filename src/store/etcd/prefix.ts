import { randomBytes } from 'node:crypto';
import { isBeforeGrpc } from '../../values/etcd-version.ts';
import { unavailable } from '../refusals.ts';
import type { EtcdConnection } from './client/connection.ts';
import type { Keys } from './log/keys.ts';
import { isAbsent, putOperation } from './log/operations.ts';
import { patiently } from './patiently.ts';

const FORMAT = 'etcd-discovery';
/** Incremented when earlier versions can no longer read what is written. */
const FORMAT_VERSION = 1;
/**
 * Older versions lack nested transactions of this size, and the lease and watch calls as they are used here.
 */
const OLDEST = [3, 4] as const;

interface FormatRecord {
  readonly format: string;
  readonly version: number;
  readonly clusterId: string;
}

/** FreePrefix says what to do with an unused prefix: take it, leave it and read it as empty, or reject it. */
export type FreePrefix = 'TAKE' | 'LEAVE' | 'REFUSE';

/**
 * Checks that etcd can be used and that the prefix belongs to this service or is unused. Returns the cluster
 * ID.
 */
export async function checkPrefix(
  connection: EtcdConnection,
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
        throw unavailable(`etcd has no tokens under the prefix ${prefix}; set the prefix with --etcd-prefix`);
      }
      const clusterId = randomBytes(8).toString('hex');
      const record: FormatRecord = { format: FORMAT, version: FORMAT_VERSION, clusterId };
      // Another replica may do the same at once: the first write is kept.
      await connection.txn({
        compare: [isAbsent(keys.format)],
        success: [putOperation(keys.format, Buffer.from(JSON.stringify(record)))],
        failure: [],
      });
    }
  });
}

/** Throws if an etcd is too old for the store. */
export function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  const next = isBeforeGrpc(version)
    ? 'upgrade it, or use another store and import the tokens of a Go discovery service from this one (etcd-discovery import --from-discoveryserver URL)'
    : 'upgrade it';
  throw unavailable(`etcd ${version} is too old: the store requires ${OLDEST.join('.')} or newer; ${next}`);
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
      `a newer etcd-discovery wrote the keys in etcd under ${prefix} (format ${version}, but this version reads ${FORMAT_VERSION}); run that version or a later one`,
    );
  }
  return BigInt(`0x${clusterId}`);
}

// The keys are not named, because they may contain tokens.
function foreign(prefix: string): Error {
  return unavailable(
    `etcd has keys under ${prefix} that etcd-discovery did not write (etcdctl get --prefix --keys-only ${prefix}/ shows them); choose another --etcd-prefix, or delete them (etcdctl del --prefix ${prefix}/)`,
  );
}

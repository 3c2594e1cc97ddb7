import { DiscoveryError } from '../../discovery/errors.ts';
import { isBeforeGrpc } from '../../values/etcd-version.ts';
import type { Item } from '../import.ts';
import { clustersOf } from './keys.ts';
import { readV2, versionOf } from './read-v2.ts';
import { readV3 } from './read-v3.ts';

/** The v3 keys of an etcd before 3.0. */
const NO_V3_KEYS: Awaited<ReturnType<typeof readV3>> = { keys: [], createTimes: new Map() };

/**
 * Reads the clusters of a Go discovery service from its etcd. Rejects with STORE_UNAVAILABLE if that cannot
 * be read or contains none. Times in ms.
 */
export async function readDiscoveryserver(url: string, now: number, ttl: number): Promise<Item[]> {
  let items: Item[];
  try {
    const version = await versionOf(url);
    const hasV3 = version === undefined || !isBeforeGrpc(version);
    const { keys, createTimes } = hasV3 ? await readV3(url) : NO_V3_KEYS;
    // Where v2 keys are emulated, both APIs return them.
    const more = await readV2(url);
    const seen = new Set(keys.map(({ path }) => path));
    items = clustersOf([...keys, ...more.filter(({ path }) => !seen.has(path))], { createTimes, now, ttl });
  } catch (error) {
    const { message, cause } = error as Error;
    // The HTTP and gRPC libraries each wrap the system's error.
    const why =
      /connect E\w+ [^ ]+(?=\.)/.exec(message)?.[0] ?? (cause instanceof Error ? cause.message : message);
    throw new DiscoveryError('STORE_UNAVAILABLE', `cannot read the etcd at ${url}: ${why}`, {
      cause: error,
    });
  }
  if (items.length > 0) return items;
  throw new DiscoveryError(
    'STORE_UNAVAILABLE',
    `the etcd at ${url} has no tokens of a Go discovery service, neither under /discovery.etcd.io/registry nor in v2 keys (to read v2 keys, etcd must run with --enable-v2)`,
  );
}

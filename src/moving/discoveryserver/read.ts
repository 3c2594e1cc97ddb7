import { DiscoveryError } from '../../discovery/errors.ts';
import { isBeforeGrpc } from '../../values/etcd-version.ts';
import type { Item } from '../import.ts';
import { clustersOf } from './keys.ts';
import { readV2, versionOf } from './read-v2.ts';
import { readV3 } from './read-v3.ts';

/** What an etcd before 3.0 has of them. */
const NO_V3_KEYS: Awaited<ReturnType<typeof readV3>> = { keys: [], createTimes: new Map() };

/**
 * The clusters of a Go discovery service, from the etcd that it runs over. Rejects with STORE_UNAVAILABLE when
 * that cannot be read, or has none. Times in ms.
 */
export async function readDiscoveryserver(url: string, now: number, ttl: number): Promise<Item[]> {
  let items: Item[];
  try {
    const version = await versionOf(url);
    const hasV3 = version === undefined || !isBeforeGrpc(version);
    const { keys, createTimes } = hasV3 ? await readV3(url) : NO_V3_KEYS;
    // Where v2 keys are emulated, both have them.
    const more = await readV2(url);
    const seen = new Set(keys.map(({ path }) => path));
    items = clustersOf([...keys, ...more.filter(({ path }) => !seen.has(path))], { createTimes, now, ttl });
  } catch (error) {
    const { message, cause } = error as Error;
    // The libraries of HTTP and gRPC each wrap what the system said.
    const why =
      /connect E\w+ [^ ]+(?=\.)/.exec(message)?.[0] ?? (cause instanceof Error ? cause.message : message);
    throw new DiscoveryError('STORE_UNAVAILABLE', `the etcd at ${url} cannot be read: ${why}`, {
      cause: error,
    });
  }
  if (items.length > 0) return items;
  throw new DiscoveryError(
    'STORE_UNAVAILABLE',
    `the etcd at ${url} has no tokens of a Go discovery service, neither under /discovery.etcd.io/registry nor in v2 keys (an etcd that keeps those must run with --enable-v2)`,
  );
}

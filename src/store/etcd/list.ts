import type { IKeyValue } from 'etcd3';
import { type Phase, type Place, placeBefore } from '../../discovery/newest.ts';
import type { OnDamaged } from '../../discovery/store.ts';
import { type Cluster, type Millis, millis, type Token } from '../../discovery/types.ts';
import { ClusterListing } from '../listing.ts';
import { fold } from './log/cluster-log.ts';
import type { Keys } from './log/keys.ts';
import { type EtcdReader, logOf } from './read.ts';

/** The maximum number of keys read at once. */
const PAGE_KEYS = 2000;
/** Keys read for each requested cluster: most have their creation and a few members. */
const CLUSTER_KEYS = 8;

/** Lists clusters by the byte order of their tokens, after a token, at most `limit`. */
export async function listStoredClusters(
  reader: Pick<EtcdReader, 'page' | 'history'>,
  keys: Keys,
  after: Token | undefined,
  limit: number,
  onDamaged?: OnDamaged,
): Promise<readonly Cluster[]> {
  const { kvs, more } = await reader.page(keys.clustersAfter(after), {
    limit: Math.min(PAGE_KEYS, CLUSTER_KEYS * limit),
    fence: (key, tokens) => keys.clusterFence(key, tokens),
  });
  const logs = new Map<Token, IKeyValue[]>();
  let isPart = more;
  for (const kv of kvs) {
    const token = keys.tokenOf(kv.key);
    const log = logs.get(token);
    if (log !== undefined) log.push(kv);
    else if (logs.size < limit) logs.set(token, [kv]);
    else isPart = true;
  }
  // The log of the last token may continue on the next page.
  const cut = more && kvs.length > 0 ? keys.tokenOf((kvs.at(-1) as IKeyValue).key) : undefined;
  const listing = new ClusterListing(onDamaged);
  for (const [token, log] of logs) {
    const found =
      token === cut
        ? await settled(reader.history(token))
        : () => ({ folded: fold(token, logOf(keys, log)) });
    listing.add(token, () => found().folded?.record.cluster);
  }
  const clusters = listing.end();
  const last = [...logs.keys()].at(-1);
  // All of them were damaged, or swept in the meantime: an empty list would mark the end.
  if (clusters.length > 0 || !isPart || last === undefined) return clusters;
  return listStoredClusters(reader, keys, last, limit, onDamaged);
}

/** Returns the tokens that end in [from, until). */
export async function endingTokens(
  reader: Pick<EtcdReader, 'page'>,
  keys: Keys,
  from: Millis,
  until: Millis,
  limit: number,
): Promise<readonly Token[]> {
  const span = { key: keys.endsBefore(from).range_end, range_end: keys.endsBefore(until).range_end };
  const { kvs } = await reader.page(span, { limit, keysOnly: true });
  return kvs.map(({ key }) => keys.parseEnd(key));
}

/** Returns the places of the clusters in a phase, newest first. */
export async function newestPlaces(
  reader: Pick<EtcdReader, 'page' | 'range'>,
  keys: Keys,
  phase: Phase,
  after: Place | undefined,
  limit: number,
): Promise<readonly Place[]> {
  const span = keys.placesAfter(phase, after);
  // Before the place of this moment are only clusters of replicas whose clock is ahead. After it they are close together.
  const now = keys.place(phase, placeBefore(millis(Date.now())));
  const isAhead = Buffer.compare(span.key, now) < 0;
  const ahead = isAhead
    ? (await reader.range(() => ({ key: span.key, range_end: now, limit, keys_only: true }))).kvs
    : [];
  const key = isAhead ? now : span.key;
  const wanted = { limit: limit - ahead.length, keysOnly: true };
  const { kvs } = wanted.limit > 0 ? await reader.page({ ...span, key }, wanted) : { kvs: [] };
  return [...ahead, ...kvs].map((kv) => keys.parsePlace(kv.key));
}

/** Captures an outcome, so that a failure is thrown only where it is awaited. */
function settled<T>(work: Promise<T>): Promise<() => T> {
  return work.then(
    (value) => () => value,
    (thrown: unknown) => () => {
      throw thrown;
    },
  );
}

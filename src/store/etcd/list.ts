import type { Phase, Place } from '../../discovery/newest.ts';
import type { Cluster, Token } from '../../discovery/types.ts';
import { fold, type LogEntry } from './log/cluster-log.ts';
import { damaged } from './log/codec.ts';
import type { Keys } from './log/keys.ts';
import { logOf, type Reader } from './read.ts';

/** Keys read at once, at most. */
const PAGE_KEYS = 2000;
/** Keys read for each cluster that is wanted: most have their making and a few members. */
const CLUSTER_KEYS = 8;

/** Clusters by the byte order of their tokens, after a token; at most `limit`. */
export async function listClusters(
  reader: Pick<Reader, 'range' | 'history'>,
  keys: Keys,
  after: Token | undefined,
  limit: number,
): Promise<readonly Cluster[]> {
  const page = Math.min(PAGE_KEYS, CLUSTER_KEYS * limit);
  const { kvs, more } = await reader.range(() => ({ ...keys.clustersAfter(after), limit: page }));
  const logs = new Map<Token, LogEntry[]>();
  let last: Token | undefined;
  for (const kv of kvs) {
    const key = keys.parseLog(kv.key);
    if (key === undefined) throw damaged('a key among them is not of this service');
    last = key.token;
    const log = logs.get(last);
    if (log === undefined) {
      if (logs.size === limit) break;
      logs.set(last, logOf(keys, [kv]));
    } else log.push(...logOf(keys, [kv]));
  }
  // The last one's log may go on in the next page.
  if (more && last !== undefined && logs.has(last)) {
    const { folded } = await reader.history(last);
    logs.delete(last);
    if (folded !== undefined) return [...clustersOf(logs), folded.record.cluster];
    // It was swept meanwhile. None would say that this is the end.
    if (logs.size === 0) return listClusters(reader, keys, last, limit);
  }
  return clustersOf(logs);
}

/** Where the clusters of a phase are, the newest first. */
export async function newestPlaces(
  reader: Pick<Reader, 'range'>,
  keys: Keys,
  phase: Phase,
  after: Place | undefined,
  limit: number,
): Promise<readonly Place[]> {
  const span = keys.placesAfter(phase, after);
  const { kvs } = await reader.range(() => ({ ...span, limit, keys_only: true }));
  return kvs.map(({ key }) => keys.parsePlace(key));
}

function clustersOf(logs: ReadonlyMap<Token, readonly LogEntry[]>): Cluster[] {
  return [...logs].flatMap(([token, log]) => fold(token, log)?.record.cluster ?? []);
}

import type { Database } from 'lmdb';
import { eventBytes, tokenBytes } from '../../discovery/bytes.ts';
import { type Event, isCut } from '../../discovery/change.ts';
import { isComplete } from '../../discovery/cluster.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { type Cluster, type Revision, revision, type Token } from '../../discovery/types.ts';
import {
  type ClusterRecord,
  decodeEvent,
  decodeStoredCluster,
  type EventRecord,
  encodeCluster,
  type StoredCluster,
} from './codec.ts';

interface Records {
  readonly clusters: Database<ClusterRecord, string>;
  readonly events: Database<EventRecord, [token: Token, revision: number]>;
}

/**
 * Writes into records of an older format what only their events tell: before 3 the latest cut, and whether a cluster
 * that lacks members was complete once; before 4 how many bytes its changes take. Within the caller's transaction.
 * Returns how many bytes all tokens take.
 */
export function upgradeRecords({ clusters, events }: Records, format: number): number {
  let total = 0;
  const changed: StoredCluster[] = [];
  for (const { key, value } of clusters.getRange()) {
    try {
      const stored = decodeStoredCluster(key as Token, value);
      // Nothing but a registration for each member that is there.
      if (stored.cluster.changeCount === stored.cluster.members.length) {
        total += tokenBytes(stored.cluster);
        continue;
      }
      const held = { start: [key, 0], end: [key, Number.MAX_SAFE_INTEGER] };
      const log = [...events.getRange(held)].map((each) => decodeEvent(revision(each.key[1]), each.value));
      const cluster = format < 3 ? withEnd(stored, log) : stored.cluster;
      const bytes = log.reduce((sum, event) => sum + eventBytes(event), 0);
      changed.push({ ...stored, cluster: { ...cluster, changeBytes: bytes } });
      total += tokenBytes({ ...cluster, changeBytes: bytes });
    } catch (error) {
      // Damaged, as whoever asks for it will be told. It must not keep the others from being served.
      if (!(error instanceof DiscoveryError)) throw error;
    }
  }
  for (const each of changed) void clusters.put(each.cluster.token, encodeCluster(each));
  return total;
}

function withEnd({ cluster, compactRevision }: StoredCluster, log: readonly Event[]): Cluster {
  const cutRevision = latestCut(log, compactRevision);
  const wasComplete = log.some(({ complete, removed }) => complete || (removed?.length ?? 0) >= cluster.size);
  const formed = wasComplete && !isComplete(cluster);
  if (cutRevision === undefined && !formed) return cluster;
  return { ...cluster, ...(cutRevision !== undefined && { cutRevision }), ...(formed && { formed }) };
}

/** Where there is none in the events that are held, it may be the last of those that are not. */
function latestCut(log: readonly Event[], compactRevision: number): Revision | undefined {
  const held = log.findLast(isCut)?.revision;
  return held ?? (compactRevision > 0 ? revision(compactRevision) : undefined);
}

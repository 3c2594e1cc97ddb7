import { eventBytes, tokenBytes } from '../../discovery/bytes.ts';
import { type Event, isCut } from '../../discovery/change.ts';
import { endTime, isComplete } from '../../discovery/cluster.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { type Cluster, type Revision, revision, type Token } from '../../discovery/types.ts';
import { decodeEvent, decodeStoredCluster, encodeCluster, encodeEvent, type StoredCluster } from './codec.ts';
import { MARK, MARK_REVISION, placeKey, SEALED_SINCE, sumOfEnd, sumOfPlace, type Tables } from './tables.ts';

/** Of them at once, so that their names take little memory. */
const TOKENS_TOGETHER = 1000;

/** One environment: as the older format reads it, and as this one writes it. */
interface Forms {
  readonly from: Tables;
  readonly to: Tables;
}

/**
 * Writes the index of places, and before 5 all records anew, with their checksums, and into those of an older format
 * what only their events tell: before 3 the latest cut, and whether a cluster that lacks members was complete once;
 * before 4 how many bytes its changes take. Within the caller's transaction. Returns how many bytes all tokens take.
 */
export function upgradeRecords({ from, to }: Forms, format: number): number {
  let total = 0;
  for (let after: string | undefined; ; ) {
    const start = after === undefined ? {} : { start: after, exclusiveStart: true };
    const tokens = [...from.clusters.getKeys({ ...start, limit: TOKENS_TOGETHER })];
    if (tokens.length === 0) return total;
    for (const token of tokens) total += upgradeToken({ from, to }, token as Token, format);
    after = tokens.at(-1);
  }
}

/**
 * Returns how many bytes it takes. What is damaged stays as it is, which is as good as a wrong checksum: whoever asks
 * for it will be told, and the others are served.
 */
function upgradeToken({ from, to }: Forms, token: Token, format: number): number {
  try {
    const old = decodeStoredCluster(token, from.clusters.get(token));
    const place = placeKey(old.cluster);
    void to.places?.put(place, sumOfPlace(place));
    if (format >= SEALED_SINCE) return tokenBytes(old.cluster);
    const held = { start: [token, 0], end: [token, Number.MAX_SAFE_INTEGER] };
    const log = Array.from(from.events.getRange(held), ({ key, read }) =>
      decodeEvent(revision(key[1]), read()),
    );
    const stored = { ...old, cluster: upgraded(old, log, format) };
    to.clusters.put(token, encodeCluster(stored));
    to.events.put([token, MARK_REVISION], MARK);
    let link = stored.cluster.createRevision;
    if (stored.compactRevision > link) link = revision(stored.compactRevision);
    for (const event of log) {
      to.events.put([token, Number(event.revision)], encodeEvent(event, link));
      link = event.revision;
    }
    const end = endTime(stored.cluster);
    // One that is missing is for the check to tell of.
    if (from.ends.get([end, token]) !== undefined) void to.ends.put([end, token], sumOfEnd([end, token]));
    return tokenBytes(stored.cluster);
  } catch (error) {
    if (!(error instanceof DiscoveryError)) throw error;
    return 0;
  }
}

function upgraded(stored: StoredCluster, log: readonly Event[], format: number): Cluster {
  // Nothing but a registration for each member that is there.
  if (stored.cluster.changeCount === stored.cluster.members.length) return stored.cluster;
  const cluster = format < 3 ? withEnd(stored, log) : stored.cluster;
  return { ...cluster, changeBytes: log.reduce((sum, event) => sum + eventBytes(event), 0) };
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

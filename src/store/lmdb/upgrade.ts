import { eventBytes, tokenBytes } from '../../discovery/bytes.ts';
import { type Event, isCut } from '../../discovery/change.ts';
import { endTime, isComplete } from '../../discovery/cluster.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { type Cluster, type Revision, revision, type Token } from '../../discovery/types.ts';
import { decodeEvent, decodeStoredCluster, encodeCluster, encodeEvent, type StoredCluster } from './codec.ts';
import { MARK, MARK_REVISION, placeKey, SEALED_SINCE, sumOfEnd, sumOfPlace, type Tables } from './tables.ts';

/** Tokens upgraded at once, so that their names take little memory. */
const TOKENS_TOGETHER = 1000;

/** Forms is one environment as the older format reads it, and as this one writes it. */
interface Forms {
  readonly from: Tables;
  readonly to: Tables;
}

/**
 * Writes the index of places and, before format 5, rewrites all records with checksums. It adds what older
 * formats derive from the events: before 3 the latest cut, and whether a cluster that lacks members was
 * complete once; before 4 the bytes of its changes. Must run within a transaction. Returns the bytes of all
 * tokens.
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
 * Returns the bytes of a token. Damaged records are left unchanged, which has the effect of a wrong checksum:
 * their readers get an error, and the others are served.
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
    // A missing record is left for the check to report.
    if (from.ends.get([end, token]) !== undefined) void to.ends.put([end, token], sumOfEnd([end, token]));
    return tokenBytes(stored.cluster);
  } catch (error) {
    if (!(error instanceof DiscoveryError)) throw error;
    return 0;
  }
}

function upgraded(stored: StoredCluster, log: readonly Event[], format: number): Cluster {
  // Only one registration for each existing member.
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

/** If the stored events contain none, the cut may be the last of the dropped events. */
function latestCut(log: readonly Event[], compactRevision: number): Revision | undefined {
  const held = log.findLast(isCut)?.revision;
  return held ?? (compactRevision > 0 ? revision(compactRevision) : undefined);
}

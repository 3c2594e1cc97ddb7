import { type Event, makeEvent, replay } from '../../../discovery/change.ts';
import type { Cluster, Revision, Token } from '../../../discovery/types.ts';
import { damaged, decodeChange, decodeMade, type StoredChange } from './codec.ts';

/** ClusterRecord is a cluster built from its changes in etcd, up to the newest. Immutable. */
export interface ClusterRecord {
  readonly cluster: Cluster;
  /** The number of the newest change. Its revision is the cluster's modRevision. */
  readonly head: number;
  /** The newest events, complete after the revision `after`. */
  readonly tail: readonly Event[];
  readonly tailAfter: Revision;
}

/** LogEntry is one key of a token's log with its value. */
export interface LogEntry {
  readonly number: number;
  readonly value: Buffer;
  readonly revision: Revision;
}

/**
 * The number of changes per token that earlier versions kept. They dropped older ones, except those that
 * created the members.
 */
const HELD_BEFORE = 4096;

/** Events kept in memory with a record. A reader that is further behind reads from etcd. */
const TAIL_EVENTS = 64;

export function made(cluster: Cluster): ClusterRecord {
  return { cluster, head: 0, tail: [], tailAfter: cluster.createRevision };
}

/** Returns the record after the next change. */
export function next(record: ClusterRecord, cluster: Cluster, event: Event): ClusterRecord {
  const head = record.head + 1;
  return { cluster, head, ...tailWith(record, event, TAIL_EVENTS) };
}

function tailWith(
  { tail, tailAfter }: ClusterRecord,
  event: Event,
  limit: number,
): Pick<ClusterRecord, 'tail' | 'tailAfter'> {
  if (tail.length < limit) return { tail: [...tail, event], tailAfter };
  return { tail: [...tail.slice(1), event], tailAfter: (tail[0] as Event).revision };
}

/**
 * Folded is the complete log of a token, read at once: its record, its events, and the revision after which
 * they are complete.
 */
export interface Folded {
  readonly record: ClusterRecord;
  readonly events: readonly Event[];
  /** Some events up to this revision are no longer stored. */
  readonly after: Revision;
}

/** Undefined without entries: the token is unknown. */
export function fold(token: Token, entries: readonly LogEntry[]): Folded | undefined {
  const [first, ...changes] = entries;
  if (first === undefined) return undefined;
  if (first.number !== 0) throw damaged(`the key that created the token is missing, but its changes exist`);
  let { cluster } = decodeMade(token, first.value, first.revision);
  const head = changes.at(-1)?.number ?? 0;
  const oldest = oldestHeld(changes);
  const events: Event[] = [];
  let after = cluster.createRevision;
  for (const { number, value, revision } of changes) {
    const change = decodeChange(value, revision);
    const event = eventOf(change, cluster);
    if (number === oldest) after = change.after;
    if (number >= oldest) events.push(event);
    // The change that reopened the token may be among the dropped ones.
    cluster = { ...replay(cluster, event), expireTime: change.expireTime, changeCount: number };
  }
  const record: ClusterRecord = {
    cluster,
    head,
    tail: events.slice(-TAIL_EVENTS),
    tailAfter: events.at(-TAIL_EVENTS - 1)?.revision ?? after,
  };
  return { record, events, after };
}

/** Returns the number of the first change after which none is missing. */
function oldestHeld(changes: readonly LogEntry[]): number {
  const head = changes.at(-1)?.number ?? 0;
  let at = changes.length - 1;
  while (at > 0 && changes[at - 1]?.number === (changes[at]?.number ?? 0) - 1) at -= 1;
  const oldest = changes[at]?.number ?? 1;
  if (oldest > 1 && head - oldest + 1 < HELD_BEFORE) throw damaged('a change is missing');
  return oldest;
}

/** Returns the record with the changes after its head. Undefined if they do not follow it. */
export function advance(record: ClusterRecord, entries: readonly LogEntry[]): ClusterRecord | undefined {
  let result = record;
  for (const { number, value, revision } of entries) {
    if (number !== result.head + 1) return undefined;
    const change = decodeChange(value, revision);
    if (change.after !== result.cluster.modRevision) return undefined;
    const event = eventOf(change, result.cluster);
    result = next(result, replay(result.cluster, event), event);
  }
  return result;
}

function eventOf(change: StoredChange, { size, members }: Cluster): Event {
  const { type, count, member, previous, wouldReplace, expireTime } = change;
  return makeEvent(
    change,
    { count, size },
    {
      ...(member !== undefined && { member }),
      ...(previous !== undefined && { previous }),
      ...(wouldReplace && { wouldReplace }),
      ...(type === 'TOKEN_DELETED' && { removed: members }),
      ...(type === 'TOKEN_REOPENED' && { expireTime }),
    },
  );
}

import { type Event, makeEvent, replay } from '../../../discovery/change.ts';
import type { Cluster, MemberId, Revision, Token } from '../../../discovery/types.ts';
import { CLUSTER_LIMITS } from '../../../limits.ts';
import { damaged, decodeChange, decodeMade, type StoredChange } from './codec.ts';

/** A cluster as the changes in etcd come to, up to its newest. Never changed in place. */
export interface ClusterRecord {
  readonly cluster: Cluster;
  /** The number of the newest change. Its revision is the cluster's modRevision. */
  readonly head: number;
  /** For each member, the number of the change that made it what it is. */
  readonly madeBy: readonly number[];
  /** The newest events, and the revision after which none is missing among them. */
  readonly tail: readonly Event[];
  readonly tailAfter: Revision;
}

/** One key of a token's log with its value. */
export interface LogEntry {
  readonly number: number;
  readonly value: Buffer;
  readonly revision: Revision;
}

/** Events kept with a record in memory: a reader that is further behind reads etcd. */
const TAIL_EVENTS = 64;

export function made(cluster: Cluster): ClusterRecord {
  return { cluster, head: 0, madeBy: [], tail: [], tailAfter: cluster.createRevision };
}

/** The record after the next change. */
export function next(record: ClusterRecord, cluster: Cluster, event: Event): ClusterRecord {
  const head = record.head + 1;
  return { cluster, head, madeBy: madeByAfter(record, event, head), ...tailWith(record, event, TAIL_EVENTS) };
}

function madeByAfter({ madeBy, cluster }: ClusterRecord, event: Event, head: number): readonly number[] {
  const at = cluster.members.findIndex((member) => member.id === event.member?.id);
  switch (event.type) {
    case 'REGISTERED':
      return [...madeBy, head];
    case 'REPLACED':
      return madeBy.map((number, i) => (i === at ? head : number));
    case 'DEREGISTERED':
      return madeBy.filter((_, i) => i !== at);
    case 'TOKEN_REOPENED':
      return madeBy;
    case 'TOKEN_DELETED':
      return [];
  }
}

function tailWith(
  { tail, tailAfter }: ClusterRecord,
  event: Event,
  limit: number,
): Pick<ClusterRecord, 'tail' | 'tailAfter'> {
  if (tail.length < limit) return { tail: [...tail, event], tailAfter };
  return { tail: [...tail.slice(1), event], tailAfter: (tail[0] as Event).revision };
}

/** What a write has to take away with its change, so that a log stays bounded: numbers of changes. */
export function superseded(record: ClusterRecord, event: Event): number[] {
  const oldest = record.head + 1 - CLUSTER_LIMITS.eventsPerToken;
  const numbers: number[] = [];
  // A change that made a member what it is stays, past the limit, for as long as it does.
  if (oldest >= 1 && (!record.madeBy.includes(oldest) || isOver(record, event, oldest))) numbers.push(oldest);
  const at = record.cluster.members.findIndex((member) => member.id === event.member?.id);
  const before = event.type === 'REGISTERED' ? undefined : record.madeBy[at];
  if (before !== undefined && before < oldest) numbers.push(before);
  return numbers;
}

function isOver(record: ClusterRecord, event: Event, number: number): boolean {
  const member = record.cluster.members[record.madeBy.indexOf(number)];
  return event.type !== 'REGISTERED' && event.member?.id === member?.id;
}

/** The whole log of a token, read at once: its record, its events and from where on they are all there. */
export interface Folded {
  readonly record: ClusterRecord;
  readonly events: readonly Event[];
  /** Events up to this revision are no longer all held. */
  readonly after: Revision;
}

/** Undefined when there is none, which is an unknown token. */
export function fold(token: Token, entries: readonly LogEntry[]): Folded | undefined {
  const [first, ...changes] = entries;
  if (first === undefined) return undefined;
  if (first.number !== 0) throw damaged(`the key that made the token is missing beside its changes`);
  let { cluster } = decodeMade(token, first.value, first.revision);
  const head = changes.at(-1)?.number ?? 0;
  const oldest = Math.max(1, head - CLUSTER_LIMITS.eventsPerToken + 1);
  const madeBy = new Map<MemberId, number>();
  const events: Event[] = [];
  let after = cluster.createRevision;
  let expected = oldest;
  for (const { number, value, revision } of changes) {
    const change = decodeChange(value, revision);
    const event = eventOf(change, cluster);
    if (number >= oldest) {
      if (number !== expected) throw damaged('a change is missing');
      if (number === oldest) after = change.after;
      expected += 1;
      events.push(event);
    }
    // A change that reopened the token may be among those that are no longer held.
    cluster = { ...replay(cluster, event), expireTime: change.expireTime };
    if (change.member !== undefined) madeBy.set(change.member.id, number);
  }
  const record: ClusterRecord = {
    cluster,
    head,
    madeBy: cluster.members.map(({ id }) => madeBy.get(id) ?? 0),
    tail: events.slice(-TAIL_EVENTS),
    tailAfter: events.at(-TAIL_EVENTS - 1)?.revision ?? after,
  };
  return { record, events, after };
}

/** The record with the changes after its head; undefined when they do not follow it. */
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
  const { type, count, member, previous, expireTime } = change;
  return makeEvent(
    change,
    { count, size },
    {
      ...(member !== undefined && { member }),
      ...(previous !== undefined && { previous }),
      ...(type === 'TOKEN_DELETED' && { removed: members }),
      ...(type === 'TOKEN_REOPENED' && { expireTime }),
    },
  );
}

import type { Event } from '../../../discovery/change.ts';
import type { Cluster, Member, Revision, Token } from '../../../discovery/types.ts';
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
  const { cluster } = decodeMade(token, first.value, first.revision);
  const head = changes.at(-1)?.number ?? 0;
  const oldest = Math.max(1, head - CLUSTER_LIMITS.eventsPerToken + 1);
  const members = new Map<string, { member: Member; number: number }>();
  const events: Event[] = [];
  let after = cluster.createRevision;
  let deleteTime: Cluster['deleteTime'];
  let { expireTime } = cluster;
  let expected = oldest;
  for (const { number, value, revision } of changes) {
    const change = decodeChange(value, revision);
    expireTime = change.expireTime;
    if (number >= oldest) {
      if (number !== expected) throw damaged('a change is missing');
      if (number === oldest) after = change.after;
      expected += 1;
      events.push(eventOf(change, cluster.size, inOrder(members, change)));
    }
    if (change.type === 'TOKEN_DELETED') {
      members.clear();
      deleteTime = change.time;
    } else if (change.type === 'TOKEN_REOPENED') continue;
    else if (change.member === undefined) throw damaged('a change has no member');
    else if (change.type === 'DEREGISTERED') members.delete(change.member.id);
    else members.set(change.member.id, { member: change.member, number });
  }
  const kept = sorted(members);
  const record: ClusterRecord = {
    cluster: {
      ...cluster,
      ...(deleteTime !== undefined && { deleteTime }),
      expireTime,
      modRevision: changes.at(-1)?.revision ?? cluster.createRevision,
      members: kept.map((each) => each.member),
    },
    head,
    madeBy: kept.map((each) => each.number),
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
    const { cluster } = result;
    const event = eventOf(change, cluster.size, cluster.members);
    result = next(result, clusterAfter(cluster, event), event);
  }
  return result;
}

function clusterAfter(cluster: Cluster, { type, member, revision, time, expireTime }: Event): Cluster {
  const { members } = cluster;
  const changed = { ...cluster, modRevision: revision };
  if (type === 'TOKEN_DELETED') return { ...changed, members: [], deleteTime: time };
  if (expireTime !== undefined) return { ...changed, expireTime };
  if (member === undefined) throw damaged('a change has no member');
  if (type === 'REGISTERED') return { ...changed, members: [...members, member] };
  if (type === 'DEREGISTERED')
    return { ...changed, members: members.filter((each) => each.id !== member.id) };
  return { ...changed, members: members.map((each) => (each.id === member.id ? member : each)) };
}

function eventOf(change: StoredChange, size: number, before: readonly Member[]): Event {
  const { type, revision, time, count, member, previous } = change;
  return {
    type,
    revision,
    time,
    ...(member !== undefined && { member }),
    ...(previous !== undefined && { previous }),
    ...(type === 'TOKEN_DELETED' && { removed: before }),
    ...(type === 'TOKEN_REOPENED' && { expireTime: change.expireTime }),
    complete: count >= size,
    memberCount: Math.min(count, size),
    standbyCount: Math.max(count - size, 0),
  };
}

type Members = ReadonlyMap<string, { readonly member: Member; readonly number: number }>;

function inOrder(members: Members, change: StoredChange): readonly Member[] {
  return change.type === 'TOKEN_DELETED' ? sorted(members).map((each) => each.member) : [];
}

/** By rank. A change that replaced a member can stand before the one that it replaced, which is gone. */
function sorted(members: Members): Array<{ readonly member: Member; readonly number: number }> {
  return [...members.values()].sort((a, b) => Number(a.member.createRevision - b.member.createRevision));
}

import { changeBytes as bytesOfChange } from '../../discovery/bytes.ts';
import type { Event } from '../../discovery/change.ts';
import type { Cluster, Member } from '../../discovery/types.ts';
import {
  ACCESSES,
  type CallerName,
  type ClusterSize,
  type Description,
  type DiscoveryText,
  type MemberId,
  type MemberName,
  type Millis,
  type Revision,
  revision,
  type Token,
} from '../../discovery/types.ts';
import { Decoder } from '../decode.ts';
import { damagedRecord } from './check/refusals.ts';

// Records are plain arrays: msgpack writes and reads them faster and smaller than objects. They also need no
// separate table of field names, which a failed commit could leave behind the records that use it. Revisions
// are numbers, exact up to 2^53.

/** StoredCluster is a cluster with what the store itself remembers about it. */
export interface StoredCluster {
  readonly cluster: Cluster;
  /**
   * Events up to this revision are no longer stored. 0 if all are, as is usual unless an earlier version
   * dropped some.
   */
  readonly compactRevision: number;
}

const decoder = new Decoder('record', damagedRecord);

const CLUSTER_FIELDS = 10;
const MEMBER_FIELDS = 7;

export type ClusterFields = readonly unknown[];
export type EventRecord = readonly unknown[];

export function encodeCluster({ cluster, compactRevision }: StoredCluster): ClusterFields {
  const record: unknown[] = [
    cluster.size,
    cluster.description,
    encodeTraits(cluster),
    cluster.createTime,
    cluster.expireTime,
    // Two facts in one field, as with the locks, because restores are rare.
    cluster.closedByRestore ? [cluster.deleteTime] : (cluster.deleteTime ?? null),
    Number(cluster.createRevision),
    Number(cluster.modRevision),
    compactRevision,
    [cluster.changeCount, cluster.changeBytes],
  ];
  for (const member of cluster.members) pushMember(record, member);
  return record;
}

export function decodeCluster(token: Token, stored: unknown): Cluster {
  const record = checkRecord(stored, CLUSTER_FIELDS);
  const traits = record[2];
  const ended = record[5];
  const deleteTime: unknown = Array.isArray(ended) ? ended[0] : ended;
  const members = membersAfter(record, CLUSTER_FIELDS);
  // Formats before 4 have no bytes where every change created a member.
  const changes: readonly unknown[] = Array.isArray(record[9]) ? record[9] : [record[9], bytesOf(members)];
  const cluster: Cluster = {
    token,
    size: decoder.integer(record[0]) as ClusterSize,
    description: decoder.text(record[1]) as Description,
    allowRejoin: traits === true,
    createTime: decoder.integer(record[3]) as Millis,
    expireTime: decoder.integer(record[4]) as Millis,
    createRevision: revision(decoder.integer(record[6])),
    modRevision: revision(decoder.integer(record[7])),
    // If an earlier version dropped changes, this counts the stored ones: as many as a token may have.
    changeCount: decoder.integer(changes[0]),
    changeBytes: decoder.integer(changes[1]),
    members,
  };
  if (deleteTime === null && !Array.isArray(traits)) return cluster;
  return {
    ...cluster,
    ...(Array.isArray(traits) && decodeTraits(traits)),
    ...(deleteTime !== null && { deleteTime: decoder.integer(deleteTime) as Millis }),
    ...(Array.isArray(ended) && { closedByRestore: true as const }),
  };
}

export function decodeStoredCluster(token: Token, stored: unknown): StoredCluster {
  return { cluster: decodeCluster(token, stored), compactRevision: compactRevisionOf(stored) };
}

/**
 * Fields that most clusters do not have share the place of `allowRejoin`, which comes first. Append only: a
 * record that ends before a trait does not have it.
 */
function encodeTraits({ allowRejoin, locks, cutRevision, formed, creator }: Cluster): boolean | unknown[] {
  const isPlain = locks === undefined && cutRevision === undefined && formed === undefined;
  if (isPlain && creator === undefined) return allowRejoin;
  const hashes = ACCESSES.map((access) => locks?.[access] ?? null);
  const traits = [allowRejoin, ...hashes, Number(cutRevision ?? 0), formed === true];
  return creator === undefined ? traits : [...traits, creator];
}

function bytesOf(registered: readonly Member[]): number {
  return registered.reduce((bytes, member) => bytes + bytesOfChange([member]), 0);
}

type Traits = Pick<Cluster, 'allowRejoin' | 'locks' | 'cutRevision' | 'formed' | 'creator'>;

function decodeTraits(traits: readonly unknown[]): Traits {
  const [allowRejoin, read, join, administer, cut, formed, creator] = traits;
  const hashes = { READ: read, JOIN: join, ADMINISTER: administer };
  const locks = decoder.locks((access) => hashes[access] ?? undefined);
  const cutRevision = decoder.integer(cut ?? 0);
  return {
    allowRejoin: allowRejoin === true,
    ...(Object.keys(locks).length > 0 && { locks }),
    ...(cutRevision > 0 && { cutRevision: revision(cutRevision) }),
    ...(formed === true && { formed }),
    ...(creator !== undefined && { creator: decoder.text(creator) as CallerName }),
  };
}

/** Returns StoredCluster's field without decoding the rest. */
export function compactRevisionOf(stored: unknown): number {
  return decoder.integer(checkRecord(stored, CLUSTER_FIELDS)[8]);
}

const EVENT_FIELDS = 5;
/** The stored value is the index in this list: append only. */
const EVENT_TYPES = [
  'REGISTERED',
  'REPLACED',
  'DEREGISTERED',
  'TOKEN_DELETED',
  'TOKEN_REOPENED',
  // By a call that would have replaced a member.
  'REGISTERED',
] as const;
const WOULD_REPLACE = EVENT_TYPES.lastIndexOf('REGISTERED');

/** `link` is the revision of the token's previous change, by which a missing change is noticed. */
export function encodeEvent(event: Event, link: Revision): EventRecord {
  const { type, time, complete, memberCount, standbyCount, member, previous, removed } = event;
  const stored = event.wouldReplace ? WOULD_REPLACE : EVENT_TYPES.indexOf(type);
  const record: unknown[] = [[stored, Number(link)], time, complete, memberCount, standbyCount];
  if (event.expireTime !== undefined) record.push(event.expireTime);
  if (member !== undefined) pushMember(record, member);
  if (previous !== undefined) pushMember(record, previous);
  for (const each of removed ?? []) pushMember(record, each);
  return record;
}

/** The revision of an event is its key. */
export function decodeEvent(at: Revision, stored: unknown): Event {
  // A reopened token's event has the new expire time, and no member.
  const hasTime = Array.isArray(stored) && stored.length === EVENT_FIELDS + 1;
  const record = checkRecord(stored, hasTime ? EVENT_FIELDS + 1 : EVENT_FIELDS);
  // Formats before 5 have no link.
  const stated: unknown = Array.isArray(record[0]) ? record[0][0] : record[0];
  const type = EVENT_TYPES[decoder.integer(stated)];
  if (type === undefined) throw damagedRecord('an event has an unknown type');
  return {
    type,
    revision: at,
    time: decoder.integer(record[1]) as Millis,
    complete: record[2] === true,
    memberCount: decoder.integer(record[3]),
    standbyCount: decoder.integer(record[4]),
    ...(hasTime
      ? { expireTime: decoder.integer(record[EVENT_FIELDS]) as Millis }
      : membersOfEvent(type, membersAfter(record, EVENT_FIELDS))),
    ...(stated === WOULD_REPLACE && { wouldReplace: true }),
  };
}

/** Returns the revision of the change before an event. */
export function linkOf(stored: unknown): Revision {
  const [first] = Array.isArray(stored) ? (stored as unknown[]) : [];
  return revision(decoder.integer(Array.isArray(first) ? first[1] : undefined));
}

function membersOfEvent(
  type: Event['type'],
  members: readonly Member[],
): Pick<Event, 'member' | 'previous' | 'removed'> {
  if (type === 'TOKEN_DELETED') return { removed: members };
  const [member, previous] = members;
  if (member === undefined) throw damagedRecord('an event has no member');
  return previous === undefined ? { member } : { member, previous };
}

function pushMember(record: unknown[], member: Member): void {
  record.push(
    member.id,
    member.name,
    member.peerUrls,
    member.registerTime,
    Number(member.createRevision),
    Number(member.modRevision),
    // The text shares a field: in long clusters, most records would leave its own field empty.
    member.discoveryText === undefined ? member.version : [member.version, member.discoveryText],
  );
}

function membersAfter(record: readonly unknown[], fields: number): Member[] {
  const members: Member[] = [];
  for (let at = fields; at < record.length; at += MEMBER_FIELDS) members.push(memberAt(record, at));
  return members;
}

function memberAt(record: readonly unknown[], at: number): Member {
  const last = record[at + 6];
  const [version, discoveryText] = Array.isArray(last) ? (last as unknown[]) : [last];
  return {
    id: decoder.text(record[at]) as MemberId,
    name: decoder.text(record[at + 1]) as MemberName,
    peerUrls: decoder.peerUrls(record[at + 2]),
    registerTime: decoder.integer(record[at + 3]) as Millis,
    createRevision: revision(decoder.integer(record[at + 4])),
    modRevision: revision(decoder.integer(record[at + 5])),
    version: decoder.integer(version),
    ...(discoveryText !== undefined && { discoveryText: decoder.text(discoveryText) as DiscoveryText }),
  };
}

function checkRecord(stored: unknown, fields: number): readonly unknown[] {
  if (Array.isArray(stored) && stored.length >= fields && (stored.length - fields) % MEMBER_FIELDS === 0) {
    return stored;
  }
  throw damagedRecord('a record has an unexpected structure');
}

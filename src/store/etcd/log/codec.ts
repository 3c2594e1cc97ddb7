import type { Event } from '../../../discovery/change.ts';
import { DiscoveryError } from '../../../discovery/errors.ts';
import type { Cluster, Member } from '../../../discovery/types.ts';
import {
  type CallerName,
  type ClusterSize,
  type Description,
  type DiscoveryText,
  type Locks,
  type MemberId,
  type MemberName,
  type Millis,
  type Revision,
  revision,
  type Token,
} from '../../../discovery/types.ts';
import { Decoder } from '../../decode.ts';

// Values are JSON, readable with etcdctl. Revisions are numbers in it, exact up to 2^53. The revision of a
// record itself is etcd's and is not stored in it.

const decoder = new Decoder('value', damaged);

/** How a token was created. */
interface MadeRecord {
  readonly nonce: string;
  readonly size: number;
  readonly description: string;
  readonly allowRejoin: boolean;
  readonly locks?: Locks;
  readonly creator?: string;
  readonly createTime: number;
  readonly expireTime: number;
}

/** A member without the information in the key of its change. */
interface MemberRecord {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly registerTime?: number;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly version?: number;
  readonly discoveryText?: string;
}

interface ChangeRecord {
  readonly nonce: string;
  readonly type: Event['type'];
  readonly time: number;
  /** The revision of the previous change. */
  readonly after: number;
  /** The number of members after the change, standbys included. */
  readonly count: number;
  /** When the token expires as of this change. Stored in each change, because older ones may be removed. */
  readonly expireTime: number;
  readonly member?: MemberRecord;
  readonly previous?: MemberRecord;
  readonly wouldReplace?: true;
}

/**
 * StoredChange is a change as stored in etcd. The members removed with a deleted token are found in earlier
 * changes.
 */
export interface StoredChange {
  readonly nonce: string;
  readonly type: Event['type'];
  readonly time: Millis;
  readonly after: Revision;
  readonly count: number;
  readonly expireTime: Millis;
  readonly revision: Revision;
  readonly member: Member | undefined;
  readonly previous: Member | undefined;
  readonly wouldReplace: boolean;
}

export function encodeMade(cluster: Cluster, nonce: string): Buffer {
  const { size, description, allowRejoin, locks, creator, createTime, expireTime } = cluster;
  const guarded = locks && { locks };
  return json({
    nonce,
    size,
    description,
    allowRejoin,
    ...guarded,
    ...(creator !== undefined && { creator }),
    createTime,
    expireTime,
  } satisfies MadeRecord);
}

export function decodeMade(token: Token, value: Buffer, at: Revision): { cluster: Cluster; nonce: string } {
  const record = parse(value) as MadeRecord;
  const cluster: Cluster = {
    token,
    size: decoder.integer(record.size) as ClusterSize,
    description: decoder.text(record.description) as Description,
    allowRejoin: decoder.flag(record.allowRejoin),
    ...(record.locks !== undefined && { locks: decoder.locks((access) => record.locks?.[access]) }),
    ...(record.creator !== undefined && { creator: decoder.text(record.creator) as CallerName }),
    createTime: decoder.integer(record.createTime) as Millis,
    expireTime: decoder.integer(record.expireTime) as Millis,
    createRevision: at,
    modRevision: at,
    changeCount: 0,
    changeBytes: 0,
    members: [],
  };
  return { cluster, nonce: decoder.text(record.nonce) };
}

/** Encodes an event. Its own revision is not known yet and is not written. */
export function encodeChange(event: Event, { expireTime }: Cluster, nonce: string, after: Revision): Buffer {
  const { type, time, member, previous, wouldReplace, memberCount, standbyCount } = event;
  const record: ChangeRecord = {
    nonce,
    type,
    time,
    after: Number(after),
    count: memberCount + standbyCount,
    expireTime,
    ...(member !== undefined && { member: memberRecord(member, type) }),
    ...(previous !== undefined && { previous: memberRecord(previous, 'DEREGISTERED') }),
    ...(wouldReplace && { wouldReplace }),
  };
  return json(record);
}

export function decodeChange(value: Buffer, at: Revision): StoredChange {
  const record = parse(value) as ChangeRecord;
  const { member, previous } = record;
  const time = decoder.integer(record.time) as Millis;
  const type = typeOf(record.type);
  if (member === undefined && !OF_TOKEN.has(type)) throw damaged('a change has no member');
  return {
    nonce: decoder.text(record.nonce),
    type,
    time,
    after: revision(decoder.integer(record.after)),
    count: decoder.integer(record.count),
    expireTime: decoder.integer(record.expireTime) as Millis,
    revision: at,
    member: member === undefined ? undefined : decodeMember(member, time, at),
    previous: previous === undefined ? undefined : decodeMember(previous, time, at),
    wouldReplace: record.wouldReplace === true,
  };
}

/** Encodes a member as in etcd's discovery keys and `--initial-cluster`. */
export function encodePeers(member: Pick<Member, 'name' | 'peerUrls'>): Buffer {
  return Buffer.from(member.peerUrls.map((url) => `${member.name}=${url}`).join(','));
}

/** Omits what the change itself determines: time and revision. */
function memberRecord(member: Member, type: Event['type']): MemberRecord {
  const { id, name, peerUrls, registerTime, createRevision, modRevision, version, discoveryText } = member;
  const said = { id, name, peerUrls, ...(discoveryText !== undefined && { discoveryText }) };
  if (type === 'REGISTERED') return said;
  const kept = { ...said, registerTime, createRevision: Number(createRevision), version };
  return type === 'REPLACED' ? kept : { ...kept, modRevision: Number(modRevision) };
}

function decodeMember(record: MemberRecord | null, time: Millis, at: Revision): Member {
  if (record === null) throw damaged('a member is empty');
  const { id, name, peerUrls, registerTime, createRevision, modRevision, version, discoveryText } = record;
  return {
    id: decoder.text(id) as MemberId,
    name: decoder.text(name) as MemberName,
    peerUrls: decoder.peerUrls(peerUrls),
    registerTime: decoder.integer(registerTime ?? time) as Millis,
    createRevision: createRevision === undefined ? at : revision(decoder.integer(createRevision)),
    modRevision: modRevision === undefined ? at : revision(decoder.integer(modRevision)),
    version: decoder.integer(version ?? 1),
    ...(discoveryText !== undefined && { discoveryText: decoder.text(discoveryText) as DiscoveryText }),
  };
}

/** Changes that do not concern a single member. */
const OF_TOKEN: ReadonlySet<Event['type']> = new Set(['TOKEN_DELETED', 'TOKEN_REOPENED']);

const TYPES: readonly unknown[] = [
  'REGISTERED',
  'REPLACED',
  'DEREGISTERED',
  'TOKEN_DELETED',
  'TOKEN_REOPENED',
] satisfies Array<Event['type']>;

function typeOf(type: Event['type']): Event['type'] {
  if (TYPES.includes(type)) return type;
  throw damaged('a change has an unknown type');
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function parse(value: Buffer): object {
  try {
    const parsed: unknown = JSON.parse(value.toString());
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (error) {
    throw damaged('a value is not JSON', error);
  }
  throw damaged('a value is not a JSON object');
}

/** Returns the error for data in etcd that this program did not write. */
export function damaged(what: string, cause?: unknown): DiscoveryError {
  return new DiscoveryError(
    'INTERNAL',
    `another program changed the keys of this service in etcd: ${what}; restore etcd from a backup, or delete the token's keys`,
    { cause },
  );
}

import { create } from '@bufbuild/protobuf';
import type { Cluster, Member, MemberEvent } from '../../gen/discovery/v1/cluster_pb.ts';
import { MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchCreateRequest } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import {
  type Event,
  Event_EventType,
  EventSchema,
  type KeyValue,
  KeyValueSchema,
} from '../../gen/etcd/mvccpb/kv_pb.ts';
import { ByteCache } from '../byte-cache.ts';
import { formatValue } from '../etcd/value.ts';
import { WORK_LIMITS } from '../limits.ts';
import { memberKey, type Place, sizeKey } from './keys.ts';

/** A key of a token with its text, by which it is ordered and found in a span. */
export interface Entry {
  readonly key: string;
  readonly kv: KeyValue;
}

export function sizeEntry(place: Place, { size, createRevision }: Cluster): Entry {
  return entry(sizeKey(place), String(size), { createRevision, modRevision: createRevision, version: 1n });
}

export function memberEntry(place: Place, member: Member): Entry {
  return entry(memberKey(place, member.id), formatValue(member), member);
}

type Revisions = Pick<KeyValue, 'createRevision' | 'modRevision' | 'version'>;

function entry(key: string, value: string, { createRevision, modRevision, version }: Revisions): Entry {
  const kv = create(KeyValueSchema);
  kv.key = Buffer.from(key, 'latin1');
  kv.value = Buffer.from(value);
  kv.createRevision = createRevision;
  kv.modRevision = modRevision;
  kv.version = version;
  return { key, kv };
}

/** One change of one key: what it is now, unless it is gone, and what it was. */
export interface KeyChange {
  readonly key: string;
  readonly now: KeyValue | undefined;
  readonly before: KeyValue | undefined;
}

/** The making of a token, which its watchers may ask for as well. */
export function madeChange(place: Place, cluster: Cluster): KeyChange {
  const { key, kv } = sizeEntry(place, cluster);
  return { key, now: kv, before: undefined };
}

/** What a change takes, with its key and its value. */
const CHANGE_BYTES = 600;

// A service in the same process tells every watcher of the same event. That of a cluster's end is long.
const ends = new ByteCache<{ readonly root: string; readonly changes: readonly KeyChange[] }>(
  WORK_LIMITS.renderedBytes / 4,
);

/** What an event of a cluster does to its keys. Nobody may change it: it is shared. */
export function changesOf(place: Place, cluster: Cluster, event: MemberEvent): readonly KeyChange[] {
  const { type, member, previous, removedMembers } = event;
  if (type === MemberEventType.TOKEN_DELETED) {
    const known = ends.get(event);
    if (known?.root === place.root) return known.changes;
    const gone = [sizeEntry(place, cluster), ...removedMembers.map((each) => memberEntry(place, each))];
    const changes = gone.sort(byKey).map(({ key, kv }) => ({ key, now: undefined, before: kv }));
    ends.set(event, { value: { root: place.root, changes }, bytes: changes.length * CHANGE_BYTES });
    return changes;
  }
  if (member === undefined) return [];
  const { key, kv } = memberEntry(place, member);
  if (type === MemberEventType.DEREGISTERED) return [{ key, now: undefined, before: kv }];
  return [{ key, now: kv, before: previous && memberEntry(place, previous).kv }];
}

export function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : 1;
}

/** The change as a watch tells of it, with what was there before where it was asked for. */
export function eventOf(
  { key, now, before }: KeyChange,
  revision: bigint,
  asked: Pick<WatchCreateRequest, 'prevKv'>,
): Event {
  const event = create(EventSchema);
  event.type = now === undefined ? Event_EventType.DELETE : Event_EventType.PUT;
  event.kv = now ?? create(KeyValueSchema, { key: Buffer.from(key, 'latin1'), modRevision: revision });
  if (asked.prevKv && before !== undefined) event.prevKv = before;
  return event;
}

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
import { type KeyPlace, memberKey, sizeKey } from './keys.ts';

/** KeyEntry is a key of a token, with its text for ordering and lookup. */
export interface KeyEntry {
  readonly key: string;
  readonly kv: KeyValue;
}

export function sizeEntry(place: KeyPlace, { size, createRevision }: Cluster): KeyEntry {
  return entry(sizeKey(place), String(size), { createRevision, modRevision: createRevision, version: 1n });
}

export function memberEntry(place: KeyPlace, member: Member): KeyEntry {
  return entry(memberKey(place, member.id), formatValue(member), member);
}

type Revisions = Pick<KeyValue, 'createRevision' | 'modRevision' | 'version'>;

function entry(key: string, value: string, { createRevision, modRevision, version }: Revisions): KeyEntry {
  const kv = create(KeyValueSchema);
  kv.key = Buffer.from(key, 'latin1');
  kv.value = Buffer.from(value);
  kv.createRevision = createRevision;
  kv.modRevision = modRevision;
  kv.version = version;
  return { key, kv };
}

/** KeyChange is one change of one key: its new state unless it was deleted, and its previous one. */
export interface KeyChange {
  readonly key: string;
  readonly now: KeyValue | undefined;
  readonly before: KeyValue | undefined;
}

/** Returns the creation of a token as a change, which a watch may request as well. */
export function madeChange(place: KeyPlace, cluster: Cluster): KeyChange {
  const { key, kv } = sizeEntry(place, cluster);
  return { key, now: kv, before: undefined };
}

/** Bytes of a change with its key and value. */
const CHANGE_BYTES = 600;

// A service in the same process passes the same event to every watcher. The deletion of a cluster is long.
const ends = new ByteCache<{ readonly root: string; readonly changes: readonly KeyChange[] }>(
  WORK_LIMITS.renderedBytes / 4,
);

/** Returns the effect of an event on the keys of its cluster. Shared, so it must not be modified. */
export function changesOf(place: KeyPlace, cluster: Cluster, event: MemberEvent): readonly KeyChange[] {
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

export function byKey(a: KeyEntry, b: KeyEntry): number {
  return a.key < b.key ? -1 : 1;
}

/** Returns the change as a watch event, with the previous state if it was requested. */
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

import type { ICompare, IRequestOp } from 'etcd3';
import type { Event } from '../../../discovery/change.ts';
import { endTime } from '../../../discovery/cluster.ts';
import { PHASES, type Place, phaseOf } from '../../../discovery/newest.ts';
import type { Cluster } from '../../../discovery/types.ts';
import type { ClusterRecord } from './cluster-log.ts';
import { encodeChange, encodeMade, encodePeers } from './codec.ts';
import type { Keys } from './keys.ts';

/**
 * Operation is one conditional write: all of `success` is written if the token is as the decision assumed;
 * otherwise the token is read.
 */
export interface Operation {
  readonly compare: ICompare[];
  readonly success: IRequestOp[];
  readonly failure: IRequestOp[];
  /** The key that only this operation writes, with its nonce in the value. */
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Creates a token. */
export function makeOperation(keys: Keys, cluster: Cluster, nonce: string): Operation {
  const { token } = cluster;
  const key = keys.made(token);
  const value = encodeMade(cluster, nonce);
  return {
    key,
    value,
    // The second comparison: a token that somebody created by hand remains theirs.
    compare: [isAbsent(key), isAbsent(keys.size(token))],
    success: [
      putOperation(key, value),
      putOperation(keys.size(token), Buffer.from(String(cluster.size))),
      putOperation(keys.end(endTime(cluster), token), madeAt(cluster)),
      putOperation(keys.place(phaseOf(cluster), cluster), EMPTY),
    ],
    failure: [{ request_range: keys.log(token) }],
  };
}

/** Writes the change that follows a record. `cluster` and `event` are its result except for the revision. */
export function changeOperation(
  keys: Keys,
  record: ClusterRecord,
  cluster: Cluster,
  event: Event,
  nonce: string,
): Operation {
  const { token } = cluster;
  const { head } = record;
  const key = keys.change(token, head + 1);
  const after = record.cluster.modRevision;
  const value = encodeChange(event, cluster, nonce, after);
  return {
    key,
    value,
    compare: [
      { key: keys.change(token, head), target: 'Mod', result: 'Equal', mod_revision: String(after) },
      isAbsent(key),
    ],
    success: [
      putOperation(key, value),
      ...published(keys, record.cluster, cluster, event),
      ...passedOn(keys, record.cluster, cluster),
    ],
    failure: [{ request_range: keys.log(token, head) }],
  };
}

/** Returns the writes to the keys besides the log. */
function published(keys: Keys, before: Cluster, after: Cluster, { type, member }: Event): IRequestOp[] {
  const { token } = after;
  const [was, is] = [endTime(before), endTime(after)];
  const moved =
    was === is ? [] : [remove(keys.end(was, token)), putOperation(keys.end(is, token), madeAt(after))];
  if (type === 'TOKEN_REOPENED') return moved;
  if (type === 'TOKEN_DELETED') {
    return [remove(keys.size(token)), { request_delete_range: keys.members(token) }, ...moved];
  }
  if (member === undefined) return [];
  const key = keys.member(token, member.id);
  return [type === 'DEREGISTERED' ? remove(key) : putOperation(key, encodePeers(member))];
}

/** Moves the cluster from one phase to the next. */
function passedOn(keys: Keys, before: Cluster, after: Cluster): IRequestOp[] {
  const [was, is] = [phaseOf(before), phaseOf(after)];
  return was === is ? [] : [remove(keys.place(was, after)), putOperation(keys.place(is, after), EMPTY)];
}

/** Removes every place that the token may have: its phase is not known when it is forgotten. */
export function removePlaces(keys: Keys, place: Place): IRequestOp[] {
  return PHASES.map((phase) => remove(keys.place(phase, place)));
}

/** The value stored at the end time of a token, from which its place is found when it is forgotten. */
export function madeAt({ createTime }: Cluster): Buffer {
  return Buffer.from(String(createTime));
}

const EMPTY = Buffer.alloc(0);

export function isAbsent(key: Buffer): ICompare {
  return { key, target: 'Create', result: 'Equal', create_revision: '0' };
}

export function putOperation(key: Buffer, value: Buffer): IRequestOp {
  return { request_put: { key, value } };
}

export function remove(key: Buffer): IRequestOp {
  return { request_delete_range: { key } };
}

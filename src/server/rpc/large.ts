import { type DescMessage, isMessage, type MessageInitShape } from '@bufbuild/protobuf';
import {
  ListMembersResponseSchema,
  WatchMembersResponseSchema,
} from '../../../gen/discovery/v1/service_pb.ts';
import {
  RangeResponseSchema,
  TxnResponseSchema,
  WatchResponseSchema,
} from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';

/** From this many members it takes half a millisecond to serialise a message, in JSON one. */
const LARGE = 100;

/** Whether serialising a response takes long because it contains a long list. */
export function isLarge(message: MessageInitShape<DescMessage>): boolean {
  return lengthOf(message) > LARGE;
}

function lengthOf(message: MessageInitShape<DescMessage>): number {
  if (isMessage(message, ListMembersResponseSchema)) return message.members.length;
  if (isMessage(message, RangeResponseSchema)) return message.kvs.length;
  if (isMessage(message, WatchResponseSchema)) return message.events.length;
  if (isMessage(message, WatchMembersResponseSchema)) {
    const { update } = message;
    if (update.case === 'snapshot') return update.value.members.length;
    return update.case === 'event' ? update.value.removedMembers.length : 0;
  }
  if (!isMessage(message, TxnResponseSchema)) return 0;
  let length = 0;
  for (const { response } of message.responses) {
    if (response.case === 'responseRange') length += response.value.kvs.length;
  }
  return length;
}

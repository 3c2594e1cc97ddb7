import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { shown } from '../etcd/text.ts';
import { WORK_LIMITS } from '../limits.ts';
import { units, type Work } from '../work.ts';
import { type V2Error, v2Error } from './errors.ts';
import { listReply } from './list-reply.ts';
import { configReply, keys, memberReply, sizeReply, type V2Reply } from './reply.ts';
import type { ReadRequest } from './request.ts';

/** Answers a read of a token's keys. Rejects with the service's error. */
export function read(client: DiscoveryClient, request: ReadRequest, work: Work): Promise<V2Reply | V2Error> {
  const { token } = request;
  switch (request.type) {
    case 'GET_SIZE':
      return client.listMembers({ token, refuseExpired: true }).then((list) => sizeReply(list));
    case 'GET_CONFIG':
      return client.listMembers({ token, refuseExpired: true }).then((list) => configReply(list));
    case 'LIST':
      return client
        .listMembers({ token, refuseExpired: true })
        .then((list) =>
          listReply(token, request.sorted, list, (members) =>
            work.owe(units(members, WORK_LIMITS.listedMembers)),
          ),
        );
    case 'GET_MEMBER':
      return client
        .listMembers({ token, refuseExpired: true })
        .then((list) => readMember(token, request.id, list));
  }
}

function readMember(token: string, id: string, list: ListMembersResponse): V2Reply | V2Error {
  const isAsked = (member: { id: string }): boolean => member.id === id;
  const member = list.members.find(isAsked) ?? list.standbys.find(isAsked);
  if (member === undefined) return noSuchMember(token, id, list.revision);
  return memberReply(token, member, list.revision);
}

/** Returns the error for a member key that does not exist. */
export function noSuchMember(token: string, id: string, index: bigint): V2Error {
  // Shortened, because no member has so long an ID: it can be any text.
  return v2Error(404, 100, keys.member(token, shown(id, 100)), { index });
}

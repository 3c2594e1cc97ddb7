import { type DiscoveryClient, liveCluster } from '../etcd/client.ts';
import { shown } from '../etcd/text.ts';
import { type V2Error, v2Error } from './errors.ts';
import { configReply, keys, listReply, memberReply, type Reply, sizeReply } from './reply.ts';
import type { ReadRequest } from './request.ts';

/** Answers a read of a token's keys. Rejects with what the service refuses. */
export async function read(client: DiscoveryClient, request: ReadRequest): Promise<Reply | V2Error> {
  const { token } = request;
  switch (request.type) {
    case 'GET_SIZE': {
      const { cluster, response } = await liveCluster(client, token);
      return sizeReply(cluster, response);
    }
    case 'GET_CONFIG': {
      const { cluster, response } = await liveCluster(client, token);
      return configReply(cluster, response);
    }
    case 'LIST':
      return listReply(token, request.sorted, await client.listMembers({ token }));
    case 'GET_MEMBER': {
      const { members, standbys, revision } = await client.listMembers({ token });
      const isAsked = ({ id }: { id: string }): boolean => id === request.id;
      const member = members.find(isAsked) ?? standbys.find(isAsked);
      if (member === undefined) return noSuchMember(token, request.id, revision);
      return memberReply(token, member, revision);
    }
  }
}

/** A member's key that is not there. */
export function noSuchMember(token: string, id: string, index: bigint): V2Error {
  // No member has so long an id: it is whatever came.
  return v2Error(404, 100, keys.member(token, shown(id, 100)), { index });
}

import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import {
  AlarmRequest_AlarmAction,
  AlarmResponseSchema,
  type Auth,
  AuthStatusResponseSchema,
  type Cluster,
  type Maintenance,
  MemberListResponseSchema,
  StatusResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { authenticationIsOff, unsupported } from './errors.ts';
import { header, type Identity, RAFT_TERM } from './header.ts';

/** The etcd whose dialect this is, for clients that choose what they do by it. */
const DIALECT_VERSION = '3.6.0';

/** What the service says of itself to etcd's tools: a cluster of one member that leads and is well. */
export function statusServices(
  identity: Identity,
  urlFor: (requestUrl: string) => string,
): { maintenance: ServiceImpl<typeof Maintenance>; cluster: ServiceImpl<typeof Cluster>; auth: ServiceImpl<typeof Auth> } {
  const { memberId } = identity;
  // These answers hold nothing of the store, so they need not ask it for its revision.
  const revision = 0n;
  return {
    maintenance: {
      status: () =>
        create(StatusResponseSchema, {
          header: header(identity, revision),
          version: DIALECT_VERSION,
          storageVersion: DIALECT_VERSION,
          leader: memberId,
          raftTerm: RAFT_TERM,
        }),
      alarm({ action }) {
        if (action !== AlarmRequest_AlarmAction.GET) throw unsupported('raising or ending an alarm');
        return create(AlarmResponseSchema, { header: header(identity, revision) });
      },
    },
    cluster: {
      memberList: (_request, { url }) =>
        create(MemberListResponseSchema, {
          header: header(identity, revision),
          members: [{ ID: memberId, name: 'etcd-discovery', clientURLs: [urlFor(url)] }],
        }),
    },
    auth: {
      authStatus: () => create(AuthStatusResponseSchema, { header: header(identity, revision) }),
      authenticate() {
        throw authenticationIsOff();
      },
    },
  };
}

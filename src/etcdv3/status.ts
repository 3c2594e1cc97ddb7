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
  type ResponseHeader,
  StatusResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { authenticationIsOff, unsupported } from './errors.ts';
import { header, type Identity, RAFT_TERM } from './header.ts';
import { currentRevision } from './revision.ts';

/** The etcd whose dialect this is, for clients that choose what they do by it. */
const DIALECT_VERSION = '3.6.0';

/** What the service says of itself to etcd's tools: a cluster of one member that leads and is well. */
export function statusServices(
  client: DiscoveryClient,
  identity: Identity,
  urlFor: (requestUrl: string) => string,
): {
  maintenance: ServiceImpl<typeof Maintenance>;
  cluster: ServiceImpl<typeof Cluster>;
  auth: ServiceImpl<typeof Auth>;
} {
  const { memberId } = identity;
  const headerNow = async (): Promise<ResponseHeader> => header(identity, await currentRevision(client));
  return {
    maintenance: {
      async status() {
        const header = await headerNow();
        const index = header.revision;
        return create(StatusResponseSchema, {
          header,
          version: DIALECT_VERSION,
          storageVersion: DIALECT_VERSION,
          // etcdctl divides by it.
          dbSize: 1n,
          leader: memberId,
          raftTerm: RAFT_TERM,
          raftIndex: index,
          raftAppliedIndex: index,
        });
      },
      async alarm({ action }) {
        if (action !== AlarmRequest_AlarmAction.GET) throw unsupported('raising or ending an alarm');
        return create(AlarmResponseSchema, { header: await headerNow() });
      },
    },
    cluster: {
      async memberList(_request, { url }) {
        const clientURLs = [urlFor(url)];
        return create(MemberListResponseSchema, {
          header: await headerNow(),
          members: [{ ID: memberId, name: 'etcd-discovery', clientURLs }],
        });
      },
    },
    auth: {
      authStatus: async () => create(AuthStatusResponseSchema, { header: await headerNow() }),
      authenticate() {
        throw authenticationIsOff();
      },
    },
  };
}

import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  AlarmRequest_AlarmAction,
  AlarmResponseSchema,
  type Auth,
  AuthenticateResponseSchema,
  AuthStatusResponseSchema,
  type Cluster,
  type Maintenance,
  MemberListResponseSchema,
  type ResponseHeader,
  StatusResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { authenticationFailed, authenticationIsOff, unsupported } from './errors.ts';
import { header, RAFT_TERM } from './header.ts';
import type { V3ClientOf, V3GatewayOptions } from './options.ts';

/** The version of the etcd whose dialect is spoken, for clients that depend on it. */
const DIALECT_VERSION = '3.6.0';

/** Returns the services that answer etcd's tools: a healthy cluster of one member, which is the leader. */
export function statusServices(
  clientOf: V3ClientOf,
  { identity, urlFor, signIn }: Pick<V3GatewayOptions, 'identity' | 'urlFor' | 'signIn'>,
): {
  maintenance: ServiceImpl<typeof Maintenance>;
  cluster: ServiceImpl<typeof Cluster>;
  auth: ServiceImpl<typeof Auth>;
} {
  const { memberId } = identity;
  const headerNow = async (context: HandlerContext): Promise<ResponseHeader> =>
    header(identity, await clientOf(context).revision());
  return {
    maintenance: {
      async status(_request, context) {
        const header = await headerNow(context);
        const index = header.revision;
        return create(StatusResponseSchema, {
          header,
          version: DIALECT_VERSION,
          storageVersion: DIALECT_VERSION,
          // etcdctl divides by it, and counts unused space as fragmented.
          dbSize: 1n,
          dbSizeInUse: 1n,
          leader: memberId,
          raftTerm: RAFT_TERM,
          raftIndex: index,
          raftAppliedIndex: index,
        });
      },
      async alarm({ action }, context) {
        if (action !== AlarmRequest_AlarmAction.GET) throw unsupported('activating or disarming an alarm');
        return create(AlarmResponseSchema, { header: await headerNow(context) });
      },
    },
    cluster: {
      async memberList(_request, context) {
        const clientURLs = [urlFor(context)];
        return create(MemberListResponseSchema, {
          header: await headerNow(context),
          members: [{ ID: memberId, name: 'etcd-discovery', clientURLs }],
        });
      },
    },
    auth: {
      authStatus: async (_request, context) =>
        create(AuthStatusResponseSchema, {
          header: await headerNow(context),
          enabled: signIn !== undefined,
        }),
      authenticate({ name, password }) {
        if (signIn === undefined) throw authenticationIsOff();
        const token = signIn(name, password);
        if (token === undefined) throw authenticationFailed();
        return create(AuthenticateResponseSchema, { token });
      },
    },
  };
}

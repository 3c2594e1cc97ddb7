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
import type { ClientOf, GatewayOptions } from './options.ts';

/** The etcd whose dialect this is, for clients that choose what they do by it. */
const DIALECT_VERSION = '3.6.0';

/** What the service says of itself to etcd's tools: a cluster of one member that leads and is well. */
export function statusServices(
  clientOf: ClientOf,
  { identity, urlFor, signIn }: Pick<GatewayOptions, 'identity' | 'urlFor' | 'signIn'>,
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
          // etcdctl divides by it, and takes what is not in use for fragmented.
          dbSize: 1n,
          dbSizeInUse: 1n,
          leader: memberId,
          raftTerm: RAFT_TERM,
          raftIndex: index,
          raftAppliedIndex: index,
        });
      },
      async alarm({ action }, context) {
        if (action !== AlarmRequest_AlarmAction.GET) throw unsupported('raising or ending an alarm');
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

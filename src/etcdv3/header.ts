import { create } from '@bufbuild/protobuf';
import { type ResponseHeader, ResponseHeaderSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';

/**
 * ServerIdentity identifies the cluster and member in response headers. It is stable for the lifetime of the data.
 */
export interface ServerIdentity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

/** The service does not use raft; clients only require that the term never decreases. */
export const RAFT_TERM = 1n;

export function header({ clusterId, memberId }: ServerIdentity, revision: bigint): ResponseHeader {
  const message = create(ResponseHeaderSchema);
  message.clusterId = clusterId;
  message.memberId = memberId;
  message.revision = revision;
  message.raftTerm = RAFT_TERM;
  return message;
}

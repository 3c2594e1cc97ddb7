import { create } from '@bufbuild/protobuf';
import { type ResponseHeader, ResponseHeaderSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';

/** Who answers: the same for as long as the data set lives. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

/** There is no raft here; clients only want it not to go back. */
export const RAFT_TERM = 1n;

export function header({ clusterId, memberId }: Identity, revision: bigint): ResponseHeader {
  const message = create(ResponseHeaderSchema);
  message.clusterId = clusterId;
  message.memberId = memberId;
  message.revision = revision;
  message.raftTerm = RAFT_TERM;
  return message;
}

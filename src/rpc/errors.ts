import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { DiscoveryError, type ErrorFacts, type Reason } from '../discovery/errors.ts';
import type { Millis } from '../discovery/model.ts';
import { clusterMessage, memberMessage } from './messages.ts';

const CODES = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  TOKEN_NOT_FOUND: Code.NotFound,
  TOKEN_EXPIRED: Code.FailedPrecondition,
  TOKEN_DELETED: Code.FailedPrecondition,
  TOKEN_EXISTS: Code.AlreadyExists,
  CUSTOM_TOKEN_REFUSED: Code.PermissionDenied,
  TOO_MANY_TOKENS: Code.ResourceExhausted,
  MEMBER_NOT_FOUND: Code.NotFound,
  MEMBER_EXISTS: Code.AlreadyExists,
  NAME_TAKEN: Code.AlreadyExists,
  PEER_URL_TAKEN: Code.AlreadyExists,
  CLUSTER_FULL: Code.FailedPrecondition,
  TOO_MANY_STANDBYS: Code.ResourceExhausted,
  REJOIN_REFUSED: Code.FailedPrecondition,
  REVISION_MISMATCH: Code.Aborted,
  REVISION_COMPACTED: Code.OutOfRange,
  SHUTTING_DOWN: Code.Unavailable,
  STORE_UNAVAILABLE: Code.Unavailable,
  INTERNAL: Code.Internal,
  UNAUTHENTICATED: Code.Unauthenticated,
  FORBIDDEN: Code.PermissionDenied,
} as const satisfies Record<Reason, Code>;

/** The refusal as every RPC protocol carries it: a code, words for a person, one detail for a program. */
export function connectError(error: DiscoveryError, now: Millis): ConnectError {
  const detail = create(ErrorDetailSchema, {
    reason: ErrorReason[error.reason],
    ...detailOf(error.facts, now),
  });
  return new ConnectError(error.message, CODES[error.reason], undefined, [
    { desc: ErrorDetailSchema, value: detail },
  ]);
}

function detailOf(facts: ErrorFacts, now: Millis): MessageInitShape<typeof ErrorDetailSchema> {
  const { revision, field, member, cluster, compactRevision } = facts;
  const detail: MessageInitShape<typeof ErrorDetailSchema> = { revision: revision ?? 0n, field: field ?? '' };
  if (compactRevision !== undefined) detail.compactRevision = compactRevision;
  if (member !== undefined) detail.member = memberMessage(member);
  if (cluster !== undefined) {
    detail.cluster = clusterMessage(cluster, now);
    if (cluster.deleteTime !== undefined) detail.deleteTime = timestampFromMs(cluster.deleteTime);
    else if (now >= cluster.expireTime) detail.expireTime = timestampFromMs(cluster.expireTime);
  }
  return detail;
}

/** Any thrown value as a DiscoveryError: what is not one is a defect, whose text stays in the log. */
export function asDiscoveryError(thrown: unknown): DiscoveryError {
  if (thrown instanceof DiscoveryError) return thrown;
  return new DiscoveryError('INTERNAL', 'the service failed to answer; its log says why, please report it', {
    cause: thrown,
  });
}

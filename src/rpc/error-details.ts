import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { DiscoveryError, ErrorFacts } from '../discovery/errors.ts';
import { API_LIMITS } from '../limits.ts';
import { type ClusterClock, clusterMessage, memberMessage } from './messages.ts';

/** The domain of the reasons in google.rpc.ErrorInfo. */
const DOMAIN = 'etcd-discovery';

type OutgoingDetail = Extract<ConnectError['details'][number], { readonly desc: DescMessage }>;

const detail = <Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>): OutgoingDetail => ({
  desc,
  value,
});

/**
 * Returns the details of an error for programs: everything as the API's ErrorDetail, and Google's messages
 * for what fits into them.
 */
export function detailsOf(
  { reason, message, facts }: DiscoveryError,
  clock?: ClusterClock,
): OutgoingDetail[] {
  const own = create(ErrorDetailSchema, { reason: ErrorReason[reason], ...factsOf(facts, clock) });
  const details = [detail(ErrorInfoSchema, { reason, domain: DOMAIN, metadata: metadataOf(own) })];
  if (reason === 'INVALID_ARGUMENT' && facts.field !== undefined) {
    const violation = { field: facts.field, description: message, reason };
    details.push(detail(BadRequestSchema, { fieldViolations: [violation] }));
  }
  if (facts.retryAfter !== undefined) {
    details.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(facts.retryAfter)) }));
  }
  const room = API_LIMITS.errorDetailBytes - bytesOf(details);
  return [detail(ErrorDetailSchema, fitting(own, room)), ...details];
}

function bytesOf(details: readonly OutgoingDetail[]): number {
  return details.reduce((sum, { desc, value }) => sum + toBinary(desc, create(desc, value)).length, 0);
}

function factsOf(
  facts: ErrorFacts,
  clock: ClusterClock | undefined,
): MessageInitShape<typeof ErrorDetailSchema> {
  const { revision, field, member, rank, cluster, compactRevision } = facts;
  const told: MessageInitShape<typeof ErrorDetailSchema> = { revision: revision ?? 0n, field: field ?? '' };
  if (compactRevision !== undefined) told.compactRevision = compactRevision;
  if (member !== undefined) told.member = memberMessage(member, rank ?? 0);
  if (cluster !== undefined && clock !== undefined) {
    told.cluster = clusterMessage(cluster, clock);
    if (cluster.deleteTime !== undefined) told.deleteTime = timestampFromMs(cluster.deleteTime);
    else if (clock.now() >= cluster.expireTime) told.expireTime = timestampFromMs(cluster.expireTime);
  }
  return told;
}

/**
 * Returns the details that are short and not confidential. It omits those that are long, or known only to
 * holders of the token.
 */
function metadataOf(told: ErrorDetail): Record<string, string> {
  const { revision, field, member, cluster, expireTime, deleteTime, compactRevision } = told;
  const metadata: Record<string, string> = {};
  if (revision !== 0n) metadata['revision'] = String(revision);
  if (field !== '') metadata['field'] = field;
  if (member !== undefined) metadata['memberId'] = member.id;
  if (member !== undefined && member.rank !== 0) metadata['memberRank'] = String(member.rank);
  if (cluster !== undefined) {
    metadata['size'] = String(cluster.size);
    metadata['memberCount'] = String(cluster.memberCount);
  }
  if (expireTime !== undefined) metadata['expireTime'] = timestampDate(expireTime).toISOString();
  if (deleteTime !== undefined) metadata['deleteTime'] = timestampDate(deleteTime).toISOString();
  if (compactRevision !== 0n) metadata['compactRevision'] = String(compactRevision);
  return metadata;
}

/** Each step omits a little more. Messages are shared, so none is modified. */
const SHORTER: ReadonlyArray<(told: ErrorDetail) => ErrorDetail> = [
  ({ cluster, ...rest }) =>
    cluster === undefined ? rest : { ...rest, cluster: { ...cluster, warnings: [] } },
  ({ member, ...rest }) =>
    member === undefined ? rest : { ...rest, member: { ...member, discoveryText: '' } },
  ({ member, ...rest }) =>
    member === undefined ? rest : { ...rest, member: { ...member, peerUrls: member.peerUrls.slice(0, 4) } },
  ({ member, ...rest }) =>
    member === undefined ? rest : { ...rest, member: { ...member, peerUrls: member.peerUrls.slice(0, 1) } },
  ({ cluster, ...rest }) =>
    cluster === undefined ? rest : { ...rest, cluster: { ...cluster, description: '' } },
];

/**
 * Shortens the detail to the available space: headers that are too long would make the whole response
 * unreadable.
 */
function fitting(told: ErrorDetail, room: number): ErrorDetail {
  let fits = told;
  for (const shorter of SHORTER) {
    if (toBinary(ErrorDetailSchema, fits).length <= room) break;
    fits = shorter(fits);
  }
  return fits;
}

import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { DiscoveryError, ErrorFacts } from '../discovery/errors.ts';
import { API_LIMITS } from '../limits.ts';
import { type Clock, clusterMessage, memberMessage } from './messages.ts';

/** Who names the reasons. */
const DOMAIN = 'etcd-discovery';

type OutgoingDetail = Extract<ConnectError['details'][number], { readonly desc: DescMessage }>;

const detail = <Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>): OutgoingDetail => ({
  desc,
  value,
});

/** What a program is told of a refusal: all of it in the API's own detail, and what Google's have a place for. */
export function detailsOf({ reason, message, facts }: DiscoveryError, clock?: Clock): OutgoingDetail[] {
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

function factsOf(facts: ErrorFacts, clock: Clock | undefined): MessageInitShape<typeof ErrorDetailSchema> {
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

/** All but what is long, or is known to whoever knows the token alone. */
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

/** Each leaves out a little more. Messages are shared, so none is changed. */
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

/** The detail without what there is no room for: headers that are too long would make the whole answer unreadable. */
function fitting(told: ErrorDetail, room: number): ErrorDetail {
  let fits = told;
  for (const shorter of SHORTER) {
    if (toBinary(ErrorDetailSchema, fits).length <= room) break;
    fits = shorter(fits);
  }
  return fits;
}

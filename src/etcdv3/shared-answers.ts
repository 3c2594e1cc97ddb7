import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import {
  type RangeRequest,
  RangeRequestSchema,
  type RangeResponse,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { ByteCache } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { ENTRY_BYTES } from './listing.ts';

/** The nodes of a cluster ask for its size and its members. */
const KEPT_EACH = 2;

interface Shared {
  readonly request: RangeRequest;
  readonly revision: bigint;
  readonly response: RangeResponse;
}

// Until something is written, equal requests have the same response, which must not be modified. A service in
// the same process returns the same list as long as a cluster is unchanged.
const answers = new ByteCache<readonly Shared[]>(WORK_LIMITS.renderedBytes / 8, 0);

export function sharedAnswer(
  { members, revision }: ListMembersResponse,
  request: RangeRequest,
): RangeResponse | undefined {
  for (const shared of answers.get(members) ?? []) {
    if (shared.revision === revision && isSame(shared.request, request)) return shared.response;
  }
  return undefined;
}

export function shareAnswer(
  { members, revision }: ListMembersResponse,
  request: RangeRequest,
  response: RangeResponse,
): void {
  const others = (answers.get(members) ?? []).filter((shared) => shared.revision === revision);
  const value = [...others.slice(1 - KEPT_EACH), { request, revision, response }];
  const entries = value.reduce((sum, shared) => sum + shared.response.kvs.length + 1, 0);
  answers.set(members, { value, bytes: entries * ENTRY_BYTES });
}

function isSame(one: RangeRequest, other: RangeRequest): boolean {
  if (one === other) return true;
  for (const { localName } of RangeRequestSchema.fields) {
    const name = localName as keyof RangeRequest;
    const [mine, yours] = [one[name], other[name]];
    if (mine === yours) continue;
    if (!(mine instanceof Uint8Array && yours instanceof Uint8Array)) return false;
    if (Buffer.compare(mine, yours) !== 0) return false;
  }
  return true;
}

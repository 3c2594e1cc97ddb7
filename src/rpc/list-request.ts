import { durationMs } from '@bufbuild/protobuf/wkt';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ListClustersRequest } from '../../gen/discovery/v1/operator_pb.ts';
import type { State } from '../discovery/cluster.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import type { ListQuery } from '../discovery/list-clusters.ts';
import { type Millis, millis } from '../discovery/types.ts';
import { LIST_LIMITS } from '../limits.ts';
import { parsePageToken } from './page-token.ts';

const STATES = ['ASSEMBLING', 'COMPLETE', 'EXPIRED', 'DELETED'] as const satisfies readonly State[];

/** Returns the query of a request, and a text of its filters, to which its page tokens are bound. */
export function listQuery(request: ListClustersRequest, now: Millis): { query: ListQuery; filters: string } {
  const asked = [...new Set(request.states)].sort((a, b) => a - b).map(stateOf);
  const waits = request.assemblingFor === undefined ? undefined : durationMs(request.assemblingFor);
  if (waits !== undefined && waits < 0) {
    throw wrong('assembling_for', 'assembling_for must not be negative');
  }
  if (waits !== undefined && asked.length > 0 && !asked.includes('ASSEMBLING')) {
    throw wrong('assembling_for', 'assembling_for requires ASSEMBLING in states');
  }
  const states = waits === undefined ? (asked.length === 0 ? STATES : asked) : (['ASSEMBLING'] as const);
  const filters = `${states.join()} ${waits ?? ''}`;
  const after = parsePageToken(request.pageToken, filters);
  const limit = Math.min(request.pageSize || LIST_LIMITS.clusters, LIST_LIMITS.mostClusters);
  const query: ListQuery = {
    states: new Set<State>(states),
    limit,
    ...(waits !== undefined && { madeBy: millis(now - waits) }),
    ...(after && { after }),
  };
  return { query, filters };
}

function stateOf(state: ClusterState): State {
  const name = STATES.find((each) => ClusterState[each] === state);
  if (name === undefined) throw wrong('states', `unknown value ${state} for field states`);
  return name;
}

function wrong(field: string, message: string): DiscoveryError {
  return new DiscoveryError('INVALID_ARGUMENT', message, { field });
}

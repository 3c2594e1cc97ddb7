import { create } from '@bufbuild/protobuf';
import type { ContextValues } from '@connectrpc/connect';
import {
  type ListClustersRequest,
  ListClustersRequestSchema,
  type ListClustersResponse,
  ListClustersResponseSchema,
} from '../../gen/discovery/v1/operator_pb.ts';
import type { OperatorClient } from '../client/operator-client.ts';
import { authorizeOperator } from '../discovery/access.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Reason } from '../discovery/errors.ts';
import { WORK_LIMITS } from '../limits.ts';
import { units } from '../work.ts';
import { QUOTA, RESOLVE_CALLER } from './caller.ts';
import { clusterSummary } from './cluster-summary.ts';
import { asDiscoveryError, connectError } from './errors.ts';
import { listQuery } from './list-request.ts';
import { pageTokenOf } from './page-token.ts';
import { noteReason } from './reports.ts';
import type { CallContext } from './service.ts';

export interface OperatorOptions {
  readonly onDefect: (defect: unknown) => void;
  readonly onRefused: (reason: Reason) => void;
  /** Returns the name of a token in the log. */
  readonly labelOf: (token: string) => string;
}

/** LocalOperator is OperatorService for remote callers and for callers in this process. */
export interface LocalOperator {
  listClusters(request: ListClustersRequest, context: CallContext): Promise<ListClustersResponse>;
}

export function operatorService(
  discovery: Discovery,
  { onDefect, onRefused, labelOf }: OperatorOptions,
): LocalOperator {
  const listClusters = async (
    request: ListClustersRequest,
    values: ContextValues,
  ): Promise<ListClustersResponse> => {
    const caller = values.get(RESOLVE_CALLER)(undefined);
    // First, so that other callers learn nothing else.
    authorizeOperator(caller);
    const now = discovery.now();
    const { query, filters } = listQuery(request, now);
    const { clusters, next, looked, bytes } = await discovery.listClusters(query, caller);
    const work = values.get(QUOTA);
    work.owe(units(looked, WORK_LIMITS.clustersLookedAt) + units(bytes, WORK_LIMITS.sentBytes));
    return create(ListClustersResponseSchema, {
      clusters: clusters.map((cluster) => clusterSummary(cluster, now, labelOf(cluster.token))),
      nextPageToken: next === undefined ? '' : pageTokenOf(next, filters),
    });
  };
  return {
    listClusters: (request, { values }) =>
      listClusters(request, values).catch((thrown: unknown) => {
        const error = asDiscoveryError(thrown);
        onRefused(error.reason);
        noteReason(values, error.reason);
        if (error.reason === 'INTERNAL') onDefect(error.facts.cause ?? error);
        throw connectError(error, discovery);
      }),
  };
}

/** Returns a client of the service in this process for the caller in the context values. */
export function inProcessOperator(service: LocalOperator, values: ContextValues): OperatorClient {
  const { signal } = new AbortController();
  return {
    listClusters: (input) =>
      service.listClusters(create(ListClustersRequestSchema, input), { signal, values }),
  };
}

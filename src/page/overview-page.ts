import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { OperatorClient } from '../client/operator-client.ts';
import { sendingUnits } from '../work.ts';
import type { Context } from './context.ts';
import { pageRefusalOf, rowOf, sayWhen } from './refusals.ts';
import { type PageRequest, type Reply, secretDocument } from './reply.ts';
import { documentHtml } from './view/document.ts';
import { h, type VElement } from './view/node.ts';
import { filteredMain, type ListedState, overviewMain, STUCK_MS } from './view/overview.ts';
import { refusedMain, sentence } from './view/refused.ts';

/** The number of clusters in each part of the overview. */
const SHOWN = 20;

const STATES: Readonly<Record<ListedState, ClusterState>> = {
  assembling: ClusterState.ASSEMBLING,
  complete: ClusterState.COMPLETE,
  expired: ClusterState.EXPIRED,
  deleted: ClusterState.DELETED,
};

/**
 * Returns the operators' overview: which clusters are forming, which are stuck, and which have completed.
 * With `state` in the query it lists all clusters in a state, page by page. Everyone else gets an error.
 */
export async function overviewPage(context: Context, request: PageRequest): Promise<Reply> {
  const { operatorOf, workOf } = context.options;
  const query = new URLSearchParams(/\?([^#]*)/.exec(request.url ?? '')?.[1] ?? '');
  try {
    const main = await mainOf(operatorOf(request), query);
    const html = documentOf(context, 'Clusters', main);
    workOf?.(request).owe(sendingUnits(html.length));
    return secretDocument(200, html);
  } catch (thrown) {
    const refusal = pageRefusalOf(thrown);
    if (refusal === undefined) throw thrown;
    const isOperators =
      refusal.reason === ErrorReason.UNAUTHENTICATED || refusal.reason === ErrorReason.FORBIDDEN;
    const row = rowOf(refusal.reason);
    const title = isOperators ? 'This page is for operators' : row.title;
    const advice = isOperators
      ? 'Sign in with the name and secret of an operator, or use the client certificate of one.'
      : row.advice;
    const main = refusedMain({
      title,
      lead: sentence(refusal.text),
      advice,
      root: './',
      again: !isOperators,
    });
    return sayWhen(secretDocument(row.status, documentOf(context, title, main)), thrown);
  }
}

async function mainOf(operator: OperatorClient, query: URLSearchParams): Promise<VElement> {
  const clock = { now: Date.now(), timeZone: 'UTC' } as const;
  const state = query.get('state');
  if (state !== null && Object.hasOwn(STATES, state)) {
    const name = state as ListedState;
    const page = query.get('page') ?? '';
    const answer = await operator.listClusters({ states: [STATES[name]], pageToken: page });
    return filteredMain({ ...answer, state: name, isFirst: page === '' }, clock);
  }
  const [stuck, forming, complete] = await Promise.all([
    operator.listClusters({ assemblingFor: durationFromMs(STUCK_MS), pageSize: SHOWN }),
    operator.listClusters({ states: [ClusterState.ASSEMBLING], pageSize: SHOWN }),
    operator.listClusters({ states: [ClusterState.COMPLETE], pageSize: SHOWN }),
  ]);
  return overviewMain({ stuck, forming, complete }, clock);
}

function documentOf({ assets, options }: Context, title: string, main: VElement): string {
  const { script: _, ...still } = assets.urls;
  const footer = h(
    'footer',
    {},
    h('p', {}, `Operators only: this page links to every token. etcd-discovery ${options.version}`),
    h('p', {}, 'For programs: ', h('code', {}, 'etcd-discovery list --output json')),
  );
  return documentHtml({ title, assets: still, home: './', main, footer });
}

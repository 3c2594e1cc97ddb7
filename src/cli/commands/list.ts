import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';
import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import {
  type ClusterSummary,
  type ListClustersRequest,
  ListClustersRequestSchema,
  ListClustersResponseSchema,
  OperatorService,
} from '../../../gen/discovery/v1/operator_pb.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { LIST_LIMITS } from '../../limits.ts';
import { oneOf } from '../../settings/tables/setting.ts';
import { formatDuration, parseDuration } from '../../values/duration.ts';
import { apiJson } from '../api-json.ts';
import { clientCommand } from '../client-command.ts';
import { clustersText } from '../text/clusters.ts';

const STATES = {
  assembling: ClusterState.ASSEMBLING,
  complete: ClusterState.COMPLETE,
  expired: ClusterState.EXPIRED,
  deleted: ClusterState.DELETED,
} as const;

/** Of a service that has ten million clusters. */
const MOST_PAGES = 10_000;

export const LIST = clientCommand({
  name: 'list',
  group: 'Service',
  summary: 'list the clusters of the service, newest first; for its operators',
  details: `The service shows them to its operators alone: give the credentials of one with DISC_CREDENTIALS
(etcd-discovery credential NAME --operator makes them), or a client certificate.
Who has not come is what is missing between MEMBERS and the size; WAITS is how long nobody new has come,
and a ! says that addresses look wrong: etcd-discovery show TOKEN tells which.`,
  args: [],
  flags: {
    state: {
      flag: 'state',
      value: 'STATE',
      takes: 'assembling, complete, expired or deleted',
      parse: oneOf('assembling', 'complete', 'expired', 'deleted').parse,
      many: true,
      help: 'Only clusters in this state: assembling, complete, expired or deleted.',
    },
    stuck: {
      flag: 'stuck',
      value: 'DURATION',
      takes: 'a duration, like 10m or 2h',
      parse: parseDuration,
      help: 'Only those that assemble, and were made at least so long ago.',
    },
    limit: {
      flag: 'limit',
      value: 'N',
      takes: 'a number from 1 on',
      parse: parseCount,
      default: String(LIST_LIMITS.clusters),
      help: 'The most clusters to list.',
    },
    page: {
      flag: 'page',
      value: 'PAGE',
      takes: 'what the list before it has said',
      parse: (text: string) => text,
      help: 'Go on where a list ended, with the same --state and --stuck.',
    },
  },
  examples: ['list', 'list --stuck 10m', 'list --state assembling --state expired --output json'],
  async run({ flags, transport, json, printJson, terminal, note, server }) {
    const { state, stuck, limit, page } = flags;
    const request = create(ListClustersRequestSchema, {
      states: (state ?? []).map((name) => STATES[name]),
      pageToken: page ?? '',
      ...(stuck !== undefined && { assemblingFor: durationFromMs(stuck) }),
    });
    const { clusters, next } = await listed(transport, request, limit);
    if (json) {
      printJson(
        apiJson(
          ListClustersResponseSchema,
          create(ListClustersResponseSchema, { clusters, nextPageToken: next }),
        ),
      );
      return;
    }
    if (clusters.length > 0) terminal.out(clustersText(clusters, Date.now(), terminal.columns('out')));
    else note(`no clusters at ${server}${stuck === undefined && !state?.length ? ' yet' : ' like that'}`);
    if (next !== '') note(`there are more: ${again(flags, next)}`);
  },
});

/** Pages until there are as many as wanted: one may be short, or even empty, and not be the last. */
async function listed(
  transport: Transport,
  request: ListClustersRequest,
  limit: number,
): Promise<{ clusters: ClusterSummary[]; next: string }> {
  const client = createClient(OperatorService, transport);
  const clusters: ClusterSummary[] = [];
  let next = request.pageToken;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const pageSize = Math.min(limit - clusters.length, LIST_LIMITS.mostClusters);
    const answer = await client.listClusters({ ...request, pageSize, pageToken: next });
    clusters.push(...answer.clusters);
    next = answer.nextPageToken;
    if (next === '' || clusters.length >= limit) break;
  }
  return { clusters, next };
}

interface Given {
  readonly state: ReadonlyArray<keyof typeof STATES> | undefined;
  readonly stuck: number | undefined;
}

function again({ state, stuck }: Given, next: string): string {
  const states = (state ?? []).map((name) => ` --state ${name}`).join('');
  const since = stuck === undefined ? '' : ` --stuck ${formatDuration(stuck)}`;
  return `etcd-discovery list${states}${since} --page ${shellWord(next)}`;
}

function parseCount(text: string): number | undefined {
  const count = Number(text);
  return /^\d{1,9}$/.test(text) && count > 0 ? count : undefined;
}

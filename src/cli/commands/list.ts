import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  ClusterSummary,
  ListClustersRequestSchema,
  ListClustersResponse,
} from '../../../gen/discovery/v1/operator_pb.ts';
import type { OperatorClient } from '../../client/operator-client.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { LIST_LIMITS } from '../../limits.ts';
import { oneOf } from '../../settings/tables/setting.ts';
import { formatDuration, parseDuration } from '../../values/duration.ts';
import { apiJson } from '../api/json.ts';
import { ClusterState } from '../api/tables.ts';
import { partsOf } from '../api/time.ts';
import { clientCommand } from '../client-command.ts';
import { ROWS } from '../rows.ts';
import { clustersText } from '../text/clusters.ts';

const STATES = {
  assembling: ClusterState.ASSEMBLING,
  complete: ClusterState.COMPLETE,
  expired: ClusterState.EXPIRED,
  deleted: ClusterState.DELETED,
} as const;

/** Enough for a service with ten million clusters. */
const MOST_PAGES = 10_000;

export const LIST = clientCommand({
  ...ROWS.list,
  details:
    'This command requires the credentials of an operator: set DISC_CREDENTIALS (create them with etcd-discovery credential NAME --operator), or pass a client certificate. MEMBERS shows how many nodes registered, out of the size. WAITING is the time since the last registration, or since the creation of the token. A ! marks clusters whose addresses look wrong: see etcd-discovery show TOKEN.',
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
      help: 'Only clusters that are still assembling and were created at least this long ago.',
    },
    limit: {
      flag: 'limit',
      value: 'N',
      takes: 'a whole number of at least 1',
      parse: parseCount,
      default: String(LIST_LIMITS.clusters),
      help: 'Maximum number of clusters to list.',
    },
    page: {
      flag: 'page',
      value: 'PAGE',
      takes: 'the page that the previous list printed',
      parse: (text: string) => text,
      help: 'Continue the previous list with the page that it printed at its end. Pass the same --state and --stuck.',
    },
  },
  examples: ['list', 'list --stuck 10m', 'list --state assembling --state expired --output json'],
  async run({ flags, client, json, printJson, terminal, note, server }) {
    const { state, stuck, limit, page } = flags;
    const request = {
      states: (state ?? []).map((name) => STATES[name]),
      pageToken: page ?? '',
      ...(stuck !== undefined && { assemblingFor: partsOf(stuck) }),
    };
    const list = await listed(client, request, limit);
    if (json) {
      printJson(apiJson(list));
      return;
    }
    const { clusters, nextPageToken: next } = list;
    if (clusters.length > 0) terminal.out(clustersText(clusters, Date.now(), terminal.columns('out')));
    else
      note(`no ${stuck === undefined && !state?.length ? 'clusters yet' : 'matching clusters'} at ${server}`);
    if (next !== '') note(`more clusters: ${again(flags, next)}`);
  },
});

/**
 * Requests pages until there are enough clusters: a page may be short or even empty without being the last.
 */
async function listed(
  client: OperatorClient,
  request: MessageInitShape<typeof ListClustersRequestSchema>,
  limit: number,
): Promise<ListClustersResponse> {
  const clusters: ClusterSummary[] = [];
  let nextPageToken = request.pageToken ?? '';
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const pageSize = Math.min(limit - clusters.length, LIST_LIMITS.mostClusters);
    const answer = await client.listClusters({ ...request, pageSize, pageToken: nextPageToken });
    clusters.push(...answer.clusters);
    nextPageToken = answer.nextPageToken;
    if (nextPageToken === '' || clusters.length >= limit) break;
  }
  return { $typeName: 'discovery.v1.ListClustersResponse', clusters, nextPageToken };
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

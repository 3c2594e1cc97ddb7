import type { Member } from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ReasonName } from '../../client/refusal.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { parseText } from '../../settings/tables/setting.ts';
import { whyUnreachable } from '../../values/peer-url.ts';
import { quote } from '../../values/quote.ts';
import { ClusterState } from '../api/tables.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { membersText, progress } from '../text/cluster.ts';
import { NODE_NAME, PEER_URL } from './register.ts';

const CLIENT_PORT = 2379;

const ENDED: ReadonlyMap<ReasonName | undefined, string> = new Map([
  ['TOKEN_EXPIRED', 'the token has expired'],
  ['TOKEN_DELETED', 'the token was deleted'],
]);

export const JOIN_LATE = clientCommand({
  ...ROWS['join-late'],
  details: `A complete cluster no longer uses its token: add new members to the cluster itself with etcdctl (3.4 to 3.7).`,
  args: ['TOKEN'],
  flags: {
    name: NODE_NAME,
    peerUrl: PEER_URL,
    endpoints: {
      flag: 'endpoints',
      value: 'URLS',
      takes: 'client URLs of the cluster, like http://10.0.0.1:2379,http://10.0.0.2:2379',
      parse: parseText,
      help: `Client URLs of the cluster. Default: the hosts of its members, port ${CLIENT_PORT}.`,
    },
  },
  examples: ['join-late my-cluster --name infra4 --peer-url http://10.0.0.4:2380'],
  async run({ flags, client, token, json, printJson, terminal, note }) {
    const { name, peerUrl } = flags;
    for (const url of peerUrl) {
      const problem = whyUnreachable(url);
      if (problem !== undefined) throw new Failure(EXIT.WRONG, `--peer-url ${quote(url)} ${problem}`);
    }
    const addTo = (endpoints: string): string =>
      `etcdctl --endpoints=${shellWord(endpoints)} member add ${shellWord(name)} --peer-urls=${shellWord(peerUrl.join(','))}`;
    const { cluster, members, standbys } = await client
      .listMembers({ token, refuseExpired: true })
      .catch(async (thrown: unknown) => {
        const { reasonOf } = await import('../../client/refusal.ts');
        const ended = ENDED.get(reasonOf(thrown));
        if (ended === undefined) throw thrown;
        // Suggests no new token: it would create a different cluster.
        const next = `if the cluster is running, use a client URL of a member: ${addTo(flags.endpoints ?? 'URL')}`;
        throw new Failure(EXIT.ENDED, `${ended}, so the members are unknown`, next);
      });
    if (cluster?.state !== ClusterState.COMPLETE) {
      const how = cluster === undefined ? '' : ` (${progress(cluster)})`;
      throw new Failure(
        EXIT.FAILED,
        `the cluster is still assembling${how}: start the node with the token`,
        `etcd-discovery flags TOKEN --etcd VERSION --name ${shellWord(flags.name)} --ip ADDRESS`,
      );
    }
    const inTheWay = members.find(
      ({ name, peerUrls }) => name === flags.name || flags.peerUrl.some((url) => peerUrls.includes(url)),
    );
    if (inTheWay !== undefined) {
      throw new Failure(
        EXIT.TAKEN,
        `${inTheWay.name} at ${inTheWay.peerUrls.join(', ')} is already a member: choose another name and other peer URLs for the new node`,
      );
    }
    const endpoints = flags.endpoints ?? members.map(clientUrl).join(',');
    const command = addTo(endpoints);
    if (json) printJson({ endpoints: endpoints.split(','), guessed: flags.endpoints === undefined, command });
    else {
      terminal.out(`${membersText(members, standbys)}
1. Add the member to the cluster:
   ${command}
2. Start the node with the settings that this prints (ETCD_NAME, ETCD_INITIAL_CLUSTER and so on), without the token.
`);
    }
    if (flags.endpoints === undefined) {
      note(
        `note: guessed the endpoints from the hosts of the members and port ${CLIENT_PORT}; to change them pass --endpoints`,
      );
    }
  },
});

/** Guesses where a member serves clients. */
function clientUrl({ peerUrls }: Member): string {
  const [first = ''] = peerUrls;
  if (!URL.canParse(first)) {
    throw new Failure(
      EXIT.FAILED,
      `the peer URL ${quote(first)} of a member is not valid; pass --endpoints URLS`,
    );
  }
  const { protocol, hostname } = new URL(first);
  return `${protocol}//${hostname}:${CLIENT_PORT}`;
}

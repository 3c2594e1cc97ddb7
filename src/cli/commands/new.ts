import { toJson } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type Cluster, ClusterSchema } from '../../../gen/discovery/v1/cluster_pb.ts';
import { discoveryUrl } from '../../etcd/start/node.ts';
import { count, duration, parseText } from '../../server/settings/setting.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { notForOthers } from '../text/nodes.ts';
import type { Style } from '../text/style.ts';
import { instantFromNow } from '../text/time.ts';

export const NEW = clientCommand({
  name: 'new',
  group: 'Tokens',
  summary: 'make a token for a new cluster',
  args: [],
  flags: {
    size: {
      flag: 'size',
      short: 'n',
      value: 'N',
      ...count(10_000),
      default: '3',
      help: 'How many members make the cluster complete.',
    },
    ttl: {
      flag: 'ttl',
      value: 'DURATION',
      ...duration('1s', '3650d'),
      help: 'How long the token works. Without it: as the service is set, 7 days mostly.',
    },
    description: {
      flag: 'description',
      value: 'TEXT',
      takes: 'a text',
      parse: parseText,
      help: 'What the cluster is for.',
    },
    token: {
      flag: 'token',
      value: 'TOKEN',
      takes: 'letters, digits and . _ ~ -',
      parse: parseText,
      help: 'A token of your own. The same call again gets the same cluster.',
    },
    allowRejoin: {
      flag: 'allow-rejoin',
      help: 'Members of the complete cluster may register again as they did.',
    },
    quiet: { flag: 'quiet', short: 'q', help: "Print the token's URL and nothing else." },
  },
  examples: [
    'new --size 3',
    'new --size 5 --ttl 24h --description "staging, eu-west"',
    'new --quiet --server https://discovery.example.com',
  ],
  async run({ flags, client, server, json, printJson, terminal, style, note }) {
    const { cluster, created } = await client.createToken({
      size: flags.size,
      token: flags.token ?? '',
      description: flags.description ?? '',
      allowRejoin: flags.allowRejoin,
      ...(flags.ttl !== undefined && { ttl: durationFromMs(flags.ttl) }),
    });
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the service answered without a cluster');
    const url = discoveryUrl({ serviceUrl: server, token: cluster.token });
    if (json) printJson({ url, created, cluster: toJson(ClusterSchema, cluster) });
    else terminal.out(flags.quiet ? `${url}\n` : newText(cluster, url, server, created, style));
    const remark = flags.quiet || json ? undefined : notForOthers(server);
    if (remark !== undefined) note(remark);
    return EXIT.DONE;
  },
});

function newText(cluster: Cluster, url: string, server: string, created: boolean, style: Style): string {
  const { token, size } = cluster;
  return `${created ? 'A token' : 'The token was there already,'} for a cluster of ${size}:

  token    ${style.bold(token)}
  URL      ${style.bold(url)}
  expires  ${instantFromNow(cluster.expireTime)}

Start each of the ${size} nodes with it, beside the node's own name and URLs:

  etcd 3.4, 3.5   --discovery ${url}
  etcd 3.6, 3.7   --discovery-token ${token} --discovery-endpoints ${server}

All that a node needs: etcd-discovery flags ${url} --etcd 3.6 --name infra1 --ip 10.0.0.1
Watch them come:       etcd-discovery watch ${url}
`;
}

import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Access } from '../../../gen/discovery/v1/cluster_pb.ts';
import { CreateTokenResponseSchema, type TokenSecret } from '../../../gen/discovery/v1/service_pb.ts';
import { discoveryUrl } from '../../etcd/start/node.ts';
import { count, duration, parseText } from '../../settings/tables/setting.ts';
import { apiJson } from '../api-json.ts';
import { clientCommand, flag } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { newText } from '../text/new.ts';
import { notForOthers, pathForGrpc } from '../text/nodes.ts';

export const TTL = flag({
  flag: 'ttl',
  ...duration('1s', '3650d'),
  help: 'How long the token works. Without it: as the service is set, 7 days mostly.',
});

export const NEW = clientCommand({
  name: 'new',
  group: 'Tokens',
  summary: 'make a token for a new cluster',
  args: [],
  flags: {
    size: {
      flag: 'size',
      short: 'n',
      ...count(10_000),
      value: 'N',
      default: '3',
      help: 'How many members make the cluster complete.',
    },
    ttl: TTL,
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
    guard: {
      flag: 'guard',
      value: 'ACCESS,...',
      takes: 'read, join and administer, with commas between them',
      parse: parseGuard,
      help: 'What shall need a secret. The token is printed with the one that lets nodes join.',
    },
    quiet: {
      flag: 'quiet',
      short: 'q',
      help: "Print the token's URL and nothing else. Secrets (--guard) go to standard error.",
    },
  },
  examples: [
    'new --size 3',
    'new --size 5 --ttl 24h --description "staging, eu-west"',
    'new --quiet --server https://discovery.example.com',
  ],
  async run({ flags, client, server, tls, tlsFlags, json, printJson, terminal, style, note }) {
    const answer = await client.createToken({
      size: flags.size,
      token: flags.token ?? '',
      description: flags.description ?? '',
      allowRejoin: flags.allowRejoin,
      guard: flags.guard ?? [],
      ...(flags.ttl !== undefined && { ttl: durationFromMs(flags.ttl) }),
    });
    const { cluster, created, secrets } = answer;
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the service answered without a cluster');
    const token = tokenForNodes(cluster.token, secrets);
    const url = discoveryUrl({ serviceUrl: server, token });
    if (json) printJson({ url, ...apiJson(CreateTokenResponseSchema, answer) });
    else if (flags.quiet) {
      terminal.out(`${url}\n`);
      // The one in the URL opens the least: the others would be lost for good.
      terminal.err(secretsText(cluster.token, secrets));
    } else {
      const made = { cluster, created, token, url, server, tlsFlags, tls };
      terminal.out(newText(made, style) + secretsText(cluster.token, secrets));
    }
    if (flags.quiet) return;
    for (const remark of [notForOthers(server), pathForGrpc(server)]) {
      if (remark !== undefined) note(remark);
    }
  },
});

const ACCESSES = { read: Access.READ, join: Access.JOIN, administer: Access.ADMINISTER } as const;

function parseGuard(text: string): Access[] | undefined {
  const accesses = text.split(',').map((word) => new Map(Object.entries(ACCESSES)).get(word));
  return accesses.every((access) => access !== undefined) ? accesses : undefined;
}

/** With the least secret that lets a node read and join, where there is one. */
function tokenForNodes(token: string, secrets: readonly TokenSecret[]): string {
  const guarding = secrets.filter(({ access }) => access <= Access.JOIN).map(({ access }) => access);
  const needed = Math.max(...guarding);
  const secret = secrets.find(({ access }) => access === needed)?.secret;
  return secret === undefined ? token : `${token}:${secret}`;
}

/** They are told once: whoever makes the token has to keep them. */
function secretsText(token: string, secrets: readonly TokenSecret[]): string {
  if (secrets.length === 0) return '';
  const words = new Map(Object.entries(ACCESSES).map(([word, access]) => [access, word]));
  const lines = secrets.map(
    ({ access, secret }) => `  to ${(words.get(access as 1) ?? '').padEnd(12)}${token}:${secret}`,
  );
  return `\nSave these secrets; they are not shown again. Each also opens what is above it:\n\n${lines.join('\n')}\n`;
}

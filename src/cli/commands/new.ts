import type { TokenSecret } from '../../../gen/discovery/v1/service_pb.ts';
import { discoveryUrl } from '../../etcd/start/node.ts';
import { count, duration, parseText } from '../../settings/tables/setting.ts';
import { apiJson } from '../api/json.ts';
import { Access } from '../api/tables.ts';
import { partsOf } from '../api/time.ts';
import { clientCommand, flag } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { newText } from '../text/new.ts';
import { notForOthers, pathForGrpc } from '../text/nodes.ts';

export const TTL = flag({
  flag: 'ttl',
  ...duration('1s', '3650d'),
  help: 'Lifetime of the token. Default: set by the service, usually 7 days.',
});

export const NEW = clientCommand({
  ...ROWS.new,
  args: [],
  flags: {
    size: {
      flag: 'size',
      short: 'n',
      ...count(10_000),
      value: 'N',
      default: '3',
      help: 'Number of members of the complete cluster.',
    },
    ttl: TTL,
    description: {
      flag: 'description',
      value: 'TEXT',
      takes: 'non-empty text',
      parse: parseText,
      help: 'Description of the cluster.',
    },
    token: {
      flag: 'token',
      value: 'TOKEN',
      takes: 'letters, digits and . _ ~ -',
      parse: parseText,
      help: 'Custom token. Repeating the same call returns the same cluster.',
    },
    allowRejoin: {
      flag: 'allow-rejoin',
      help: 'Let members of the complete cluster register again unchanged.',
    },
    guard: {
      flag: 'guard',
      value: 'ACCESS,...',
      takes: 'one or more of read, join and administer, separated by commas',
      parse: parseGuard,
      help: 'Operations that require a secret: read, join, administer. The token is printed with the secret that lets nodes join.',
    },
    quiet: {
      flag: 'quiet',
      short: 'q',
      help: "Print only the token's URL. Secrets (--guard) go to standard error.",
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
      ...(flags.ttl !== undefined && { ttl: partsOf(flags.ttl) }),
    });
    const { cluster, created, secrets } = answer;
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the response of the service has no cluster');
    const token = tokenForNodes(cluster.token, secrets);
    const url = discoveryUrl({ serviceUrl: server, token });
    if (json) printJson({ url, ...apiJson(answer) });
    else if (flags.quiet) {
      terminal.out(`${url}\n`);
      // The URL has only the least powerful secret; the others would be lost.
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

/** Returns the token with the least powerful secret that lets a node read and join, if there is one. */
function tokenForNodes(token: string, secrets: readonly TokenSecret[]): string {
  const guarding = secrets.filter(({ access }) => access <= Access.JOIN).map(({ access }) => access);
  const needed = Math.max(...guarding);
  const secret = secrets.find(({ access }) => access === needed)?.secret;
  return secret === undefined ? token : `${token}:${secret}`;
}

/** Formats the secrets, which are returned only once and must be stored by the user. */
function secretsText(token: string, secrets: readonly TokenSecret[]): string {
  if (secrets.length === 0) return '';
  const words = new Map(Object.entries(ACCESSES).map(([word, access]) => [access, word]));
  const lines = secrets.map(
    ({ access, secret }) => `  to ${(words.get(access as 1) ?? '').padEnd(12)}${token}:${secret}`,
  );
  return `\nSave these secrets; they are not shown again. Each secret also grants the access above it:\n\n${lines.join('\n')}\n`;
}

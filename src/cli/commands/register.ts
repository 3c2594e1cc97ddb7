import { UNPRINTABLE } from '../../etcd/text.ts';
import { parseText } from '../../settings/tables/setting.ts';
import { printable } from '../../values/quote.ts';
import { apiJson } from '../api/json.ts';
import { RegisterMode, RegisterOutcome, WhenFull } from '../api/tables.ts';
import { clientCommand, flag } from '../client-command.ts';
import { ROWS } from '../rows.ts';
import { progress } from '../text/cluster.ts';

export const NODE_NAME = flag({
  flag: 'name',
  value: 'NAME',
  takes: "the node's name, like infra1, without commas, equals signs or spaces",
  // The service rejects other names, but a printed command would reveal that only in the node's log.
  parse: (text) => (/^[^\s,=]+$/.test(text) && !UNPRINTABLE.test(text) ? text : undefined),
  required: true,
  help: "The node's name.",
});

export const PEER_URL = flag({
  flag: 'peer-url',
  value: 'URL',
  takes: 'a URL like http://10.0.0.1:2380',
  parse: parseText,
  required: true,
  many: true,
  help: 'URL at which the other nodes reach it.',
});

const WHAT: ReadonlyMap<RegisterOutcome, string> = new Map([
  [RegisterOutcome.REPLACED, 'replaced'],
  [RegisterOutcome.UNCHANGED, 'was already registered'],
]);

export const REGISTER = clientCommand({
  ...ROWS.register,
  details: 'etcd registers automatically when it is started with the token. Repeating the same call is safe.',
  args: ['TOKEN'],
  flags: {
    name: NODE_NAME,
    peerUrl: PEER_URL,
    id: {
      flag: 'id',
      value: 'ID',
      takes: '1 to 64 letters, digits and . _ ~ -',
      parse: parseText,
      help: "The member's id in the cluster. Default: the name.",
    },
    replace: {
      flag: 'replace',
      help: 'Change the name or the peer URLs of the member with this id. Possible until the cluster is complete.',
    },
    standby: {
      flag: 'standby',
      help: 'If the cluster already has all of its members, register as a standby, which is not part of it.',
    },
  },
  examples: [
    'register my-cluster --name infra1 --peer-url http://10.0.0.1:2380',
    'register my-cluster --name infra1 --peer-url http://10.0.0.9:2380 --replace',
  ],
  async run({ flags, client, token, json, printJson, terminal, note }) {
    const answer = await client.register({
      token,
      memberId: flags.id ?? flags.name,
      name: flags.name,
      peerUrls: [...flags.peerUrl],
      mode: flags.replace ? RegisterMode.REPLACE : RegisterMode.CREATE,
      whenFull: flags.standby ? WhenFull.STANDBY : WhenFull.REFUSE,
    });
    const { cluster, member, outcome, standby } = answer;
    if (json) printJson(apiJson(answer));
    else {
      const what = WHAT.get(outcome) ?? 'registered';
      const how = cluster === undefined ? '' : `: ${progress(cluster)}`;
      terminal.out(
        `${printable(member?.name ?? flags.name)} ${what}${standby ? ' as a standby' : ''}${how}\n`,
      );
      for (const { text } of cluster?.warnings ?? []) note(`warning: ${printable(text)}`);
    }
  },
});

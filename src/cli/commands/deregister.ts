import { printable } from '../../values/quote.ts';
import { apiJson } from '../api/json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { progress } from '../text/cluster.ts';

export const DEREGISTER = clientCommand({
  ...ROWS.deregister,
  details:
    'MEMBER is its name or its id. Once the cluster is complete its members can no longer change here: use etcdctl member remove.',
  args: ['TOKEN', 'MEMBER'],
  flags: {},
  examples: ['deregister my-cluster infra1'],
  async run({ words, client, token, json, printJson, terminal }) {
    const wanted = words[1] ?? '';
    const { members, standbys } = await client.listMembers({ token, refuseExpired: true });
    const all = [...members, ...standbys];
    const member = all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name === wanted);
    if (member === undefined) {
      throw new Failure(
        EXIT.NOT_FOUND,
        `no member has the name or id ${JSON.stringify(wanted)}`,
        'etcd-discovery list-members TOKEN',
      );
    }
    // The member that was found, not one that has taken its ID in the meantime.
    const { id, modRevision } = member;
    const answer = await client.deregister({ token, memberId: id, expectedModRevision: modRevision });
    if (json) printJson(apiJson(answer));
    else {
      const how = answer.cluster === undefined ? '' : `: ${progress(answer.cluster)}`;
      terminal.out(`${printable(member.name)} removed${how}\n`);
    }
  },
});

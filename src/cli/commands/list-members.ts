import { printable } from '../../values/quote.ts';
import { apiJson } from '../api/json.ts';
import { clientCommand } from '../client-command.ts';
import { ROWS } from '../rows.ts';
import { membersText, progress } from '../text/cluster.ts';

export const LIST_MEMBERS = clientCommand({
  ...ROWS['list-members'],
  details: 'Standbys are nodes that registered after the cluster had all of its members.',
  args: ['TOKEN'],
  flags: {},
  examples: ['list-members my-cluster', 'list-members my-cluster --output json'],
  async run({ client, token, json, printJson, terminal, note }) {
    const list = await client.listMembers({ token });
    if (json) printJson(apiJson(list));
    else if (list.members.length > 0) terminal.out(membersText(list.members, list.standbys));
    else if (list.cluster !== undefined) note(`no nodes have registered yet: ${progress(list.cluster)}`);
    for (const { text } of list.cluster?.warnings ?? []) note(`warning: ${printable(text)}`);
  },
});

import { apiJson } from '../api/json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { progress, stateText } from '../text/cluster.ts';

export const DELETE = clientCommand({
  ...ROWS.delete,
  details:
    'The command asks for confirmation. A complete cluster is not affected: it no longer needs its token.',
  args: ['TOKEN'],
  flags: { yes: { flag: 'yes', short: 'y', help: 'Do not ask for confirmation.' } },
  examples: ['delete my-cluster', 'delete my-cluster --yes'],
  async run({ flags, client, token, json, printJson, terminal }) {
    if (!flags.yes) {
      if (terminal.ask === undefined) {
        throw new Failure(
          EXIT.WRONG,
          'delete asks for confirmation, but standard input is not a terminal',
          'add --yes',
        );
      }
      const { cluster } = await client.listMembers({ token });
      const what = cluster === undefined ? '' : ` (${stateText(cluster.state)}, ${progress(cluster)})`;
      const answer = await terminal.ask(`Delete the token ${token}${what}? Type yes to confirm: `);
      if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(EXIT.FAILED, 'not deleted');
    }
    const answer = await client.deleteToken({ token });
    if (json) printJson(apiJson(answer));
    else terminal.out('deleted\n');
  },
});

import { apiJson } from '../api/json.ts';
import { partsOf } from '../api/time.ts';
import { clientCommand } from '../client-command.ts';
import { ROWS } from '../rows.ts';
import { instantFromNow } from '../text/time.ts';
import { TTL } from './new.ts';

export const REOPEN = clientCommand({
  ...ROWS.reopen,
  details:
    'The members stay, and nodes that are still waiting continue. Once a cluster is complete its members can no longer change, even after reopening. A deleted token cannot be reopened.',
  args: ['TOKEN'],
  flags: { ttl: TTL },
  examples: ['reopen my-cluster --ttl 24h'],
  async run({ flags, client, token, json, printJson, terminal }) {
    const answer = await client.reopenToken({
      token,
      ...(flags.ttl !== undefined && { ttl: partsOf(flags.ttl) }),
    });
    if (json) printJson(apiJson(answer));
    else terminal.out(`expires ${instantFromNow(answer.cluster?.expireTime)}\n`);
  },
});

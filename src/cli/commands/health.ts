import { ServingStatus } from '../api/tables.ts';
import { clientCommand } from '../client-command.ts';
import { ROWS } from '../rows.ts';
import { tellHealth } from '../text/health.ts';

export const HEALTH = clientCommand({
  ...ROWS.health,
  args: [],
  flags: {},
  examples: ['health', 'health --server https://discovery.example.com'],
  async run({ client, json, terminal }) {
    const { status } = await client.check({});
    return tellHealth(status === ServingStatus.SERVING, json, terminal);
  },
});

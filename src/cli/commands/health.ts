import { ServingStatus } from '../api/tables.ts';
import { clientCommand } from '../client-command.ts';
import { tellHealth } from '../text/health.ts';

export const HEALTH = clientCommand({
  name: 'health',
  group: 'Service',
  summary: 'check whether the service can serve requests, for scripts and container health checks',
  args: [],
  flags: {},
  examples: ['health', 'health --server https://discovery.example.com'],
  async run({ client, json, terminal }) {
    const { status } = await client.check({});
    return tellHealth(status === ServingStatus.SERVING, json, terminal);
  },
});

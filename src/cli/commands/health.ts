import { ServingStatus } from '../api/tables.ts';
import { clientCommand } from '../client-command.ts';
import type { Command } from '../command.ts';
import { readCall } from '../flags.ts';
import { askHealth } from '../health-call.ts';
import { ROWS } from '../rows.ts';
import { SERVICE_FLAGS } from '../service-flags.ts';
import { targetOf } from '../target.ts';
import { tellHealth } from '../text/health.ts';

/** With the client of the other commands, which sends credentials, retries, and explains failures. */
const IN_FULL = clientCommand({
  ...ROWS.health,
  args: [],
  flags: {},
  examples: ['health', 'health --server https://discovery.example.com'],
  async run({ client, json, terminal }) {
    const { status } = await client.check({});
    return tellHealth(status === ServingStatus.SERVING, json, terminal);
  },
});

/** Containers run this every few seconds, so it first asks over a plain socket, without Node's HTTP client. */
export const HEALTH: Command = {
  ...IN_FULL,
  async run(args, terminal) {
    const { env } = terminal;
    const reading = readCall(ROWS.health.name, [], SERVICE_FLAGS, args, env);
    if (reading.type === 'CALL' && !env['DISC_CREDENTIALS']) {
      const { server, tls, remark } = targetOf(undefined, reading.values, reading.given, env);
      const serving = remark === undefined ? await askHealth(server, tls) : undefined;
      if (serving !== undefined) return tellHealth(serving, reading.values.output === 'json', terminal);
    }
    return IN_FULL.run(args, terminal);
  },
};

import type { Command } from '../command.ts';
import { readCall } from '../flags.ts';
import { askHealth } from '../health-call.ts';
import { SERVICE_FLAGS } from '../service-flags.ts';
import { targetOf } from '../target.ts';
import { tellHealth } from '../text/health.ts';
import { HEALTH_ROW } from './health-row.ts';

/**
 * Containers run this every few seconds, so it does not use the client, which takes several times as long to
 * load as the call itself. The client handles everything unusual.
 */
export const HEALTH: Command = {
  ...HEALTH_ROW,
  flags: Object.values(SERVICE_FLAGS),
  async run(args, terminal) {
    const { env } = terminal;
    const reading = readCall(HEALTH_ROW.name, [], SERVICE_FLAGS, args, env);
    if (reading.type === 'CALL' && !env['DISC_CREDENTIALS']) {
      const { server, tls, remark } = targetOf(undefined, reading.values, reading.given, env);
      const serving = remark === undefined ? await askHealth(server, tls) : undefined;
      if (serving !== undefined) return tellHealth(serving, reading.values.output === 'json', terminal);
    }
    const { HEALTH_IN_FULL } = await import('./health-in-full.ts');
    return HEALTH_IN_FULL.run(args, terminal);
  },
};

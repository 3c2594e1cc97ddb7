import { createClient } from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { clientCommand } from '../client-command.ts';
import { tellHealth } from '../text/health.ts';
import { HEALTH_ROW } from './health-row.ts';

/** The same as HEALTH with the client of the other commands, which retries and explains failures. */
export const HEALTH_IN_FULL = clientCommand({
  ...HEALTH_ROW,
  args: [],
  flags: {},
  examples: ['health', 'health --server https://discovery.example.com'],
  async run({ transport, json, terminal }) {
    const { status } = await createClient(Health, transport).check({});
    return tellHealth(status === Status.SERVING, json, terminal);
  },
});

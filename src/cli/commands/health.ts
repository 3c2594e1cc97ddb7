import { createClient } from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT } from '../exit.ts';

export const HEALTH = clientCommand({
  name: 'health',
  group: 'Service',
  summary: 'say whether the service can serve requests, for scripts and the checks of containers',
  args: [],
  flags: {},
  examples: ['health', 'health --server https://discovery.example.com'],
  async run({ transport, json, printJson, terminal }) {
    const { status } = await createClient(Health, transport).check({});
    const serving = status === Status.SERVING;
    if (json) printJson({ serving });
    else terminal.out(serving ? 'OK\n' : 'not ready: /health of the service says why\n');
    return serving ? EXIT.DONE : EXIT.FAILED;
  },
});

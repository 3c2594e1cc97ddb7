import type { Client } from '@connectrpc/connect';
import type { OperatorService } from '../../gen/discovery/v1/operator_pb.ts';

/** What an operator asks of the service, over whatever transport or in its process. */
export type OperatorClient = Pick<Client<typeof OperatorService>, 'listClusters'>;

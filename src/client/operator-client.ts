import type { Client } from '@connectrpc/connect';
import type { OperatorService } from '../../gen/discovery/v1/operator_pb.ts';

/** OperatorClient calls OperatorService, over any transport or in its process. */
export type OperatorClient = Pick<Client<typeof OperatorService>, 'listClusters'>;

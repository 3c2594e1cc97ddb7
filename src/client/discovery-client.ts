import type { Client } from '@connectrpc/connect';
import type { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';

/** A typed client of the service, over whatever transport. */
export type DiscoveryClient = Client<typeof DiscoveryService>;

import type { Client } from '@connectrpc/connect';
import type { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';

/** DiscoveryClient is a typed client of the service over any transport. */
export type DiscoveryClient = Client<typeof DiscoveryService>;

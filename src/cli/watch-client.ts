import { createClient } from '@connectrpc/connect';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../client/index.ts';
import { discoveryTransport } from '../client/node.ts';
import { clientFor, type ServiceAccess } from './api/post.ts';
import { printableTransport } from './printable-transport.ts';

/** Returns the client of the commands that watch a cluster. */
export function watchClient({ server, tls, headers }: ServiceAccess, json: boolean): DiscoveryClient {
  // Connect uses it, so its connections are closed at the end of the command.
  clientFor(server);
  const bare = discoveryTransport(server, { tls, headers });
  return createClient(DiscoveryService, json ? bare : printableTransport(bare));
}

import type { ServiceImplSpec } from '@connectrpc/connect';
import { compressionGzip, connectNodeAdapter } from '@connectrpc/connect-node';
import { addServices } from '../../support/routes.ts';

/** The largest message that it accepts. */
export const MAX_BYTES = 64 * 1024;

/** Returns connect-node's adapter alone, with the options of the service. */
export function adapterOf(services: readonly ServiceImplSpec[]): ReturnType<typeof connectNodeAdapter> {
  return connectNodeAdapter({
    routes: (router) => addServices(router, services),
    acceptCompression: [compressionGzip],
    readMaxBytes: MAX_BYTES,
    maxTimeoutMs: 2 ** 31 - 1,
    jsonOptions: { ignoreUnknownFields: false },
  });
}

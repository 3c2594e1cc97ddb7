import { ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { Auth, Cluster, KV, Maintenance, Watch } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { deleteRange } from './delete.ts';
import { refusal } from './errors.ts';
import type { Identity } from './header.ts';
import { LIMITS } from './limits.ts';
import { put } from './put.ts';
import { range } from './range.ts';
import { statusServices } from './status.ts';
import { txn } from './txn.ts';
import { WatchStream } from './watch.ts';

export interface GatewayOptions {
  readonly identity: Identity;
  /** The URL by which clients reach the service, given that of a request. */
  readonly urlFor: (requestUrl: string) => string;
  readonly progressIntervalMs?: number;
  /** Is told of errors that nobody foresaw. */
  readonly onDefect: (defect: unknown) => void;
}

/** Adds etcd's v3 dialect of discovery, over a typed client, to a router. */
export function etcdV3Gateway(
  client: DiscoveryClient,
  options: GatewayOptions,
): (router: ConnectRouter) => void {
  const { identity, urlFor, onDefect, progressIntervalMs = LIMITS.progressInterval } = options;
  const streams = new Set<WatchStream>();
  // One for all streams.
  setInterval(() => {
    for (const stream of streams) stream.notifyProgress().catch(onDefect);
  }, progressIntervalMs).unref();

  const unary =
    <Request, Response>(
      call: (client: DiscoveryClient, identity: Identity, request: Request) => Promise<Response>,
    ) =>
    async (request: Request): Promise<Response> => {
      try {
        return await call(client, identity, request);
      } catch (thrown) {
        if (!(thrown instanceof ConnectError)) onDefect(thrown);
        throw refusal(thrown);
      }
    };

  return (router) => {
    const { maintenance, cluster, auth } = statusServices(client, identity, urlFor);
    router.service(KV, {
      range: unary(range),
      put: unary(put),
      deleteRange: unary(deleteRange),
      txn: unary(txn),
    });
    router.service(Watch, {
      async *watch(requests, { signal }) {
        const stream = new WatchStream(client, identity);
        streams.add(stream);
        // Bound to the signal as well: a generator that is parked at a yield never reaches its `finally`.
        signal.addEventListener('abort', () => streams.delete(stream), { once: true });
        try {
          yield* stream.answers(requests, signal);
        } finally {
          streams.delete(stream);
        }
      },
    });
    router.service(Maintenance, maintenance);
    router.service(Cluster, cluster);
    router.service(Auth, auth);
  };
}

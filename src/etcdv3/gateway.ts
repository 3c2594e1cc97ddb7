import { setImmediate as turn } from 'node:timers/promises';
import {
  type ConnectError,
  createServiceImplSpec,
  type HandlerContext,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { Auth, Cluster, KV, Maintenance, Watch } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { LocalClient } from '../etcd/client.ts';
import { V3_LIMITS } from '../limits.ts';
import { deleteRange } from './delete.ts';
import { away, endOf, isV3Defect, refusal } from './errors.ts';
import type { ServerIdentity } from './header.ts';
import type { V3ClientOf, V3GatewayOptions } from './options.ts';
import { put } from './put.ts';
import { range } from './range.ts';
import { statusServices } from './status.ts';
import { txn } from './txn.ts';
import { WatchStream } from './watch.ts';

/** Watches notified of progress before others get their turn: some ms. */
const WATCHES_AT_ONCE = 1000;

/** The path of the stream on which nodes wait. */
export const V3_WATCH = `/${Watch.typeName}/${Watch.method.watch.name}`;

/** Returns the services of etcd's v3 discovery dialect, over a typed client. */
export function etcdV3Gateway(clientOf: V3ClientOf, options: V3GatewayOptions): readonly ServiceImplSpec[] {
  const { identity, onDefect, stopping, expiredPauseMs } = options;
  const { progressIntervalMs = V3_LIMITS.progressInterval } = options;

  const refused = (thrown: unknown): ConnectError => {
    if (isV3Defect(thrown)) onDefect(thrown);
    return refusal(thrown);
  };
  const unary =
    <Request, Response>(
      call: (client: LocalClient, identity: ServerIdentity, request: Request) => Promise<Response>,
    ) =>
    async (request: Request, context: HandlerContext): Promise<Response> => {
      try {
        return await call(clientOf(context), identity, request);
      } catch (thrown) {
        throw refused(thrown);
      }
    };

  const streams = new Set<WatchStream>();
  // One for all watches, as long as there is a stream.
  let timer: NodeJS.Timeout | undefined;
  const notifyProgress = async (): Promise<void> => {
    let watches = 0;
    for (const stream of Array.from(streams)) {
      stream.notifyProgress().catch(onDefect);
      watches += stream.watches;
      if (watches < WATCHES_AT_ONCE) continue;
      watches = 0;
      await turn();
    }
  };
  stopping.addEventListener('abort', () => {
    for (const stream of streams) stream.end(away());
  });
  const add = (stream: WatchStream): void => {
    streams.add(stream);
    timer ??= setInterval(() => void notifyProgress(), progressIntervalMs).unref();
  };
  const remove = (stream: WatchStream): void => {
    streams.delete(stream);
    if (streams.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  const { maintenance, cluster, auth } = statusServices(clientOf, options);
  return [
    createServiceImplSpec<typeof KV>(KV, {
      range: unary(range),
      put: unary(put),
      deleteRange: unary(deleteRange),
      txn: unary(txn),
    }),
    createServiceImplSpec<typeof Watch>(Watch, {
      // Not a generator, and nor are the responses, because thousands of watches wait.
      watch(requests, context) {
        const { signal } = context;
        if (stopping.aborted) throw away();
        const end = (): void => stream.end(endOf(signal));
        const stream = new WatchStream(clientOf(context), {
          identity,
          refused,
          expiredPauseMs,
          onEnded() {
            signal.removeEventListener('abort', end);
            remove(stream);
          },
        });
        signal.addEventListener('abort', end);
        add(stream);
        return stream.answers(requests);
      },
    }),
    createServiceImplSpec<typeof Maintenance>(Maintenance, maintenance),
    createServiceImplSpec<typeof Cluster>(Cluster, cluster),
    createServiceImplSpec<typeof Auth>(Auth, auth),
  ];
}

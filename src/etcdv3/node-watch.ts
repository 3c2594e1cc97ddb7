import type { WatchCreateRequest } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Span } from './keys.ts';

/**
 * Whether a watch is as etcd nodes make theirs while they wait for members: the prefix without a slash at its end, from
 * a revision on, with nothing else asked for. `etcdctl watch --prefix --rev` can ask for the same.
 */
export function isNodeWatch({ root, from, to }: Span, request: WatchCreateRequest): boolean {
  return (
    from === `${root}/members` &&
    to === `${root}/membert` &&
    request.startRevision > 0n &&
    request.filters.length === 0 &&
    !request.progressNotify &&
    !request.prevKv
  );
}

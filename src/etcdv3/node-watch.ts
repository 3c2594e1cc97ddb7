import type { WatchCreateRequest } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeySpan } from './keys.ts';

/**
 * Whether a watch looks like that of an etcd node that waits for members: the prefix without a trailing
 * slash, from a revision on, without other options. `etcdctl watch --prefix --rev` can send the same.
 */
export function isNodeWatch({ root, from, to }: KeySpan, request: WatchCreateRequest): boolean {
  return (
    from === `${root}/members` &&
    to === `${root}/membert` &&
    request.startRevision > 0n &&
    request.filters.length === 0 &&
    !request.progressNotify &&
    !request.prevKv
  );
}

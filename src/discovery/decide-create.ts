import { CLUSTER_LIMITS } from '../limits.ts';
import type { Change } from './change.ts';
import { DiscoveryError } from './errors.ts';
import { DEFAULT_POLICY } from './policy.ts';
import { stillTaken, takenByAnother } from './taken.ts';
import type { CallerName, Cluster, ClusterSize, Description, Locks, Token, Ttl } from './types.ts';
import { ACCESSES, type Millis, millis } from './types.ts';

/** CreateCommand is the request for a new token. Undefined fields take the service's defaults. */
export interface CreateCommand {
  readonly token: Token;
  readonly size: ClusterSize;
  readonly description?: Description;
  /** The requested lifetime. `ttl` is the resulting one. */
  readonly askedTtl?: Ttl;
  readonly ttl: Ttl;
  readonly allowRejoin: boolean;
  readonly locks?: Locks;
  readonly creator?: CallerName;
  /**
   * Set when the token, or its locks, are derived from the whole request and its caller: an existing cluster
   * that has the same was then created by the same call.
   */
  readonly repeats?: 'TOKEN' | 'LOCKS';
}

export function decideCreate(
  cluster: Cluster | undefined,
  command: CreateCommand,
  now: Millis,
  retention = DEFAULT_POLICY.retention,
): Change | undefined {
  if (cluster === undefined) {
    const { token, size, allowRejoin, locks, creator } = command;
    return {
      type: 'CREATED',
      time: now,
      token,
      size,
      description: command.description ?? ('' as Description),
      allowRejoin,
      ...(locks && { locks }),
      ...(creator !== undefined && { creator }),
      expireTime: millis(now + command.ttl),
    };
  }
  const hasEnded = cluster.deleteTime !== undefined || now >= cluster.expireTime;
  if (isOfSameCall(cluster, command)) {
    if (hasEnded) throw stillTaken(cluster, retention);
    if (Math.abs(now - cluster.createTime) <= CLUSTER_LIMITS.repeatWindow) return undefined;
    throw new DiscoveryError(
      'TOKEN_EXISTS',
      'a token was created with this request_id more than a minute ago; use another request_id for another token',
    );
  }
  // The secrets of a guarded token cannot be returned again, and its purpose and history are not public.
  if (cluster.locks !== undefined) {
    throw new DiscoveryError('TOKEN_EXISTS', 'the token already exists; choose another token');
  }
  if (hasEnded) throw stillTaken(cluster, retention);
  const same =
    cluster.size === command.size &&
    command.locks === undefined &&
    (command.description === undefined || cluster.description === command.description) &&
    (command.askedTtl === undefined || cluster.expireTime - cluster.createTime === command.askedTtl) &&
    (!command.allowRejoin || cluster.allowRejoin);
  if (same) return undefined;
  throw takenByAnother(cluster, command);
}

function isOfSameCall({ locks }: Cluster, { repeats, locks: own }: CreateCommand): boolean {
  if (repeats === undefined) return false;
  return repeats === 'TOKEN' || ACCESSES.every((access) => locks?.[access] === own?.[access]);
}

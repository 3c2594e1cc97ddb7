import { endTime } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Description, Locks, Ttl } from './types.ts';

// Why a token cannot be made: its name is taken.

/** What the new token was asked to be. */
interface Asked {
  readonly size: ClusterSize;
  readonly description?: Description;
  readonly askedTtl?: Ttl;
  readonly allowRejoin: boolean;
  readonly locks?: Locks;
}

/** By a live cluster that was not made the way that is asked for now. */
export function takenByAnother(existing: Cluster, command: Asked): DiscoveryError {
  const { size } = existing;
  const text =
    size === command.size
      ? `the token is taken by a cluster of size ${size} with another ${differences(existing, command)}; choose another token`
      : `the token is taken by a cluster: its size is ${size} and never changes; choose another token for a cluster of size ${command.size}`;
  return new DiscoveryError('TOKEN_EXISTS', text, { cluster: existing });
}

function differences(existing: Cluster, { description, askedTtl, locks, allowRejoin }: Asked): string {
  const lifetime = existing.expireTime - existing.createTime;
  const found = [
    description !== undefined && description !== existing.description && 'description',
    askedTtl !== undefined && askedTtl !== lifetime && 'lifetime',
    locks !== undefined && 'guard',
    allowRejoin && !existing.allowRejoin && 'rule for rejoining',
  ];
  return found.filter((each) => each !== false).join(' and ');
}

/** By a cluster whose token has expired or was deleted: nodes of it may still hold the token. */
export function stillTaken(ended: Cluster, retention: number): DiscoveryError {
  const until = minute(endTime(ended) + retention);
  const [reason, how] =
    ended.deleteTime === undefined
      ? (['TOKEN_EXPIRED', `expired at ${minute(ended.expireTime)}`] as const)
      : (['TOKEN_DELETED', `was deleted at ${minute(ended.deleteTime)}`] as const);
  return new DiscoveryError(
    reason,
    `the token ${how} and stays taken until ${until}, since nodes may still hold it; choose another token or make a new one`,
    { cluster: ended },
  );
}

/** `2026-11-23 04:20 UTC`. */
function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

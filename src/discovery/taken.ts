import { endTime } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Description, Locks, Ttl } from './types.ts';

// Errors for a token that cannot be created because it already exists.

/** The settings that were requested for the new token. */
interface Asked {
  readonly size: ClusterSize;
  readonly description?: Description;
  readonly askedTtl?: Ttl;
  readonly allowRejoin: boolean;
  readonly locks?: Locks;
}

/** Returns the error for a token that belongs to a live cluster with different settings. */
export function takenByAnother(existing: Cluster, command: Asked): DiscoveryError {
  const { size } = existing;
  const text =
    size === command.size
      ? `the token already exists with a different ${differences(existing, command)}; choose another token`
      : `the token already exists with size ${size}, which cannot change; choose another token for a cluster of size ${command.size}`;
  return new DiscoveryError('TOKEN_EXISTS', text, { cluster: existing });
}

function differences(existing: Cluster, { description, askedTtl, locks, allowRejoin }: Asked): string {
  const lifetime = existing.expireTime - existing.createTime;
  const found = [
    description !== undefined && description !== existing.description && 'description',
    askedTtl !== undefined && askedTtl !== lifetime && 'lifetime',
    locks !== undefined && 'guard',
    allowRejoin && !existing.allowRejoin && 'allow_rejoin setting',
  ];
  return found.filter((each) => each !== false).join(' and ');
}

/** Returns the error for a token that has expired or was deleted: nodes of its cluster may still hold it. */
export function stillTaken(ended: Cluster, retention: number): DiscoveryError {
  const until = minute(endTime(ended) + retention);
  const [reason, how] =
    ended.deleteTime === undefined
      ? (['TOKEN_EXPIRED', `expired at ${minute(ended.expireTime)}`] as const)
      : (['TOKEN_DELETED', `was deleted at ${minute(ended.deleteTime)}`] as const);
  return new DiscoveryError(
    reason,
    `the token ${how} and cannot be used again until ${until}, because nodes may still have it; choose another token, or let the service choose one`,
    { cluster: ended },
  );
}

/** Formats a time such as `2026-11-23 04:20 UTC`. */
function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

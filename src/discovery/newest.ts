import { isComplete } from './cluster.ts';
import type { Cluster, Millis, Token } from './types.ts';

/**
 * The phases through which changes move a cluster, in order; it never moves back. Expiry depends on time and
 * is not a change.
 */
export const PHASES = ['FORMING', 'COMPLETE', 'DELETED'] as const;
export type Phase = (typeof PHASES)[number];

export function phaseOf(cluster: Cluster): Phase {
  if (cluster.deleteTime !== undefined) return 'DELETED';
  return isComplete(cluster) ? 'COMPLETE' : 'FORMING';
}

/**
 * Place is the position of a cluster among those of its phase. It stays the same for the cluster's lifetime.
 */
export interface Place {
  readonly createTime: Millis;
  readonly token: Token;
}

/** Orders newest first; clusters created at the same time by the byte order of their tokens. */
export function byPlace(a: Place, b: Place): number {
  if (a.createTime !== b.createTime) return b.createTime - a.createTime;
  return a.token < b.token ? -1 : Number(a.token > b.token);
}

/** Returns the place before all clusters that were created at a time or earlier. */
export function placeBefore(createTime: Millis): Place {
  return { createTime, token: '' as Token };
}

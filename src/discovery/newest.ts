import { isComplete } from './cluster.ts';
import type { Cluster, Millis, Token } from './types.ts';

/**
 * How far a cluster has come by its changes alone, in the order in which it passes them: it never goes back. Expiry is a
 * time, and no change.
 */
export const PHASES = ['FORMING', 'COMPLETE', 'DELETED'] as const;
export type Phase = (typeof PHASES)[number];

export function phaseOf(cluster: Cluster): Phase {
  if (cluster.deleteTime !== undefined) return 'DELETED';
  return isComplete(cluster) ? 'COMPLETE' : 'FORMING';
}

/** Where a cluster stands among those of its phase: it has the place for as long as it lives. */
export interface Place {
  readonly createTime: Millis;
  readonly token: Token;
}

/** The newest first; those of one time by the byte order of their tokens. */
export function byPlace(a: Place, b: Place): number {
  if (a.createTime !== b.createTime) return b.createTime - a.createTime;
  return a.token < b.token ? -1 : Number(a.token > b.token);
}

/** Before all clusters that were made at a time or earlier. */
export function placeBefore(createTime: Millis): Place {
  return { createTime, token: '' as Token };
}

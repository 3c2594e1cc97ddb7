import type { Change } from './change.ts';
import { isComplete } from './cluster.ts';
import type { Cluster, Millis } from './types.ts';

/**
 * Deletes a token whose cluster was assembling when the restored backup was made. Nodes that registered after
 * the backup count members that the service does not know, and other nodes would take their places.
 */
export function decideClose(cluster: Cluster | undefined, now: Millis): Change | undefined {
  if (cluster === undefined || cluster.deleteTime !== undefined || isComplete(cluster)) return undefined;
  return { type: 'TOKEN_DELETED', time: now, byRestore: true };
}

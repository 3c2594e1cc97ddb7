import { type PeerWarning, peerWarnings } from '../values/peer-warnings.ts';
import { ranked } from './cluster.ts';
import type { Cluster } from './types.ts';

type Warnings = readonly PeerWarning[];

// A cluster never changes: before the next registration it is what it was after the last one.
const warningsOfClusters = new WeakMap<Cluster, Warnings>();

/** What is likely wrong with the peer URLs of a cluster. */
export function warningsOf(cluster: Cluster): Warnings {
  let warnings = warningsOfClusters.get(cluster);
  if (warnings === undefined) {
    warnings = peerWarnings(ranked(cluster));
    warningsOfClusters.set(cluster, warnings);
  }
  return warnings;
}

/** The warnings that a change of its members has brought to a cluster. */
export function newWarnings(before: Cluster | undefined, after: Cluster): Warnings {
  const warnings = warningsOf(after);
  if (warnings.length === 0 || before === undefined) return warnings;
  const known = new Set(warningsOf(before).map(subject));
  return warnings.filter((warning) => !known.has(subject(warning)));
}

/** What a warning is about. Its text names members that are not concerned, too. */
const subject = ({ kind, members }: PeerWarning): string => [kind, ...members].join();

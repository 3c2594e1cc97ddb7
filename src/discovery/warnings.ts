import { memo } from '../values/memo.ts';
import { type PeerWarning, peerWarnings } from '../values/peer-warnings.ts';
import { ranked } from './cluster.ts';
import type { Cluster } from './types.ts';

type Warnings = readonly PeerWarning[];

// A cluster object is immutable, so the warnings computed after one registration are valid until the next.
const warningsOfClusters = memo<Cluster, Warnings>();

/** Returns the likely mistakes in the peer URLs of a cluster. */
export function warningsOf(cluster: Cluster): Warnings {
  let warnings = warningsOfClusters.get(cluster);
  if (warnings === undefined) {
    warnings = peerWarnings(ranked(cluster));
    warningsOfClusters.set(cluster, warnings);
  }
  return warnings;
}

/** Returns the warnings that a change added to a cluster. */
export function newWarnings(before: Cluster | undefined, after: Cluster): Warnings {
  const warnings = warningsOf(after);
  if (warnings.length === 0 || before === undefined) return warnings;
  const known = new Set(warningsOf(before).map(subject));
  return warnings.filter((warning) => !known.has(subject(warning)));
}

/** Identifies the subject of a warning. Its text is not used, because it also names unaffected members. */
const subject = ({ kind, members }: PeerWarning): string => [kind, ...members].join();

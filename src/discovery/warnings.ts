import { type PeerWarning, peerWarnings } from '../values/peer-warnings.ts';
import { ranked } from './cluster.ts';
import type { Cluster } from './types.ts';

/** What is likely wrong with the peer URLs of a cluster, and was not before a change of its members. */
export function newWarnings(before: Cluster | undefined, after: Cluster): readonly PeerWarning[] {
  const warnings = peerWarnings(ranked(after));
  if (warnings.length === 0 || before === undefined) return warnings;
  const known = new Set(peerWarnings(ranked(before)).map(subject));
  return warnings.filter((warning) => !known.has(subject(warning)));
}

/** What a warning is about. Its text names members that are not concerned, too. */
const subject = ({ kind, members }: PeerWarning): string => [kind, ...members].join();

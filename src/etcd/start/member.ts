import { addressOf } from './address.ts';
import { NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';

/** KnownMember is a member of the cluster as the service knows it. */
export interface KnownMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** KnownCluster is the cluster of a live token. */
export interface KnownCluster {
  readonly complete: boolean;
  readonly size: number;
  /** Without the standbys. */
  readonly members: readonly KnownMember[];
}

export function isAt({ peerUrls }: KnownMember, node: NodeStart): boolean {
  const address = addressOf(peerUrlOf(node));
  return peerUrls.some((url) => addressOf(url) === address);
}

/** Returns the members for `--initial-cluster`, with this node in place of the member that has its name. */
export function initialClusterWith(node: NodeStart, members: readonly KnownMember[]): string {
  const { name = NAME_PLACEHOLDER } = node;
  const others = members.filter((member) => member.name !== name);
  const parts = others.flatMap((other) => other.peerUrls.map((url) => `${other.name}=${url}`));
  return [...parts, `${name}=${peerUrlOf(node)}`].join(',');
}

import { addressOf } from './address.ts';
import { NAME_PLACEHOLDER, type NodeStart, peerUrlOf } from './node.ts';

/** A member of the cluster, as the service knows it. */
export interface KnownMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** The cluster of a token that lives. */
export interface KnownCluster {
  readonly complete: boolean;
  readonly size: number;
  /** Without standbys. */
  readonly members: readonly KnownMember[];
}

export function isAt({ peerUrls }: KnownMember, node: NodeStart): boolean {
  const address = addressOf(peerUrlOf(node));
  return peerUrls.some((url) => addressOf(url) === address);
}

/** The members as `--initial-cluster` has them, this node among them in place of whoever has its name. */
export function initialClusterWith(node: NodeStart, members: readonly KnownMember[]): string {
  const { name = NAME_PLACEHOLDER } = node;
  const others = members.filter((member) => member.name !== name);
  const parts = others.flatMap((other) => other.peerUrls.map((url) => `${other.name}=${url}`));
  return [...parts, `${name}=${peerUrlOf(node)}`].join(',');
}

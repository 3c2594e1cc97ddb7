import { DiscoveryError } from './errors.ts';
import type { Member, Registration } from './types.ts';

/**
 * Throws if the discovery text differs from that of the other members. etcd derives the cluster ID from this
 * text, so nodes with different texts would never form one cluster.
 */
export function checkText(members: readonly Member[], { id, discoveryText }: Registration): void {
  if (discoveryText === undefined) return;
  // All known texts are equal, except that the member's own may change in a replacement.
  const other = members.find((member) => member.discoveryText !== undefined && member.id !== id);
  if (other === undefined || other.discoveryText === discoveryText) return;
  throw new DiscoveryError(
    'DISCOVERY_TEXT_DIFFERS',
    `this node was started with ${flagOf(discoveryText)}, but the member '${other.name}' with ${flagOf(other.discoveryText)}; start every node with exactly the same text, because etcd derives the cluster id from it`,
    { member: other },
  );
}

function flagOf(text = ''): string {
  return `${/^https?:/i.test(text) ? '--discovery' : '--discovery-token'} '${text}'`;
}

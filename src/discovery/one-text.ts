import { DiscoveryError } from './errors.ts';
import type { Member, Registration } from './types.ts';

/** etcd makes the cluster id from this text: nodes with two texts would never form one cluster. */
export function checkText(members: readonly Member[], { id, discoveryText }: Registration): void {
  if (discoveryText === undefined) return;
  // All that are known are the same, but for the member's own before a replacement.
  const other = members.find((member) => member.discoveryText !== undefined && member.id !== id);
  if (other === undefined || other.discoveryText === discoveryText) return;
  throw new DiscoveryError(
    'DISCOVERY_TEXT_DIFFERS',
    `this node was started with ${flagOf(discoveryText)}, and the member '${other.name}' with ${flagOf(other.discoveryText)}; etcd makes the cluster id from this text: start every node with the same one, letter for letter`,
    { member: other },
  );
}

function flagOf(text = ''): string {
  return `${/^https?:/i.test(text) ? '--discovery' : '--discovery-token'} '${text}'`;
}

import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Cluster, Member } from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ClusterView } from '../cluster.ts';
import { h, type VElement } from './node.ts';
import { hasEnded, standingOf } from './standing.ts';
import { type Clock, momentElement } from './time.ts';

/**
 * The number of free slots shown. Further ones are counted, because nobody looks at a thousand empty boxes.
 */
const FREE_SHOWN = 24;

/** Renders a slot for each node of the cluster: its member, or that it is free, or that it stayed free. */
export function membersSection(view: ClusterView, clock: Clock): VElement {
  const { cluster, members } = view;
  const standing = standingOf(cluster);
  const isMissing = standing === 'expired' && !cluster.formed;
  const free = isMissing || !hasEnded(cluster) ? cluster.size - members.length : 0;
  const shown = free > FREE_SHOWN + 1 ? FREE_SHOWN : free;
  return h(
    'section',
    { id: 'members', 'aria-labelledby': 'members-title', hidden: members.length + free === 0 },
    h('h2', { id: 'members-title' }, title(cluster)),
    h(
      'ol',
      { class: cluster.size > FREE_SHOWN ? 'slots dense' : 'slots' },
      ...members.map((member, index) => memberSlot(member, index + 1, clock)),
      ...Array.from({ length: shown }, (_, index) => freeSlot(members.length + index + 1, isMissing)),
      free > shown &&
        h(
          'li',
          { class: 'slot free rest' },
          `and ${free - shown} more ${isMissing ? 'missing nodes' : 'free slots'}`,
        ),
    ),
  );
}

/** Renders the nodes that registered too late, if there are any. */
export function standbysSection(view: ClusterView, clock: Clock): VElement {
  const { cluster, standbys } = view;
  return h(
    'section',
    { id: 'standbys', 'aria-labelledby': 'standbys-title', hidden: standbys.length === 0 },
    h('h2', { id: 'standbys-title' }, 'Standbys'),
    h(
      'p',
      { class: 'note' },
      'These nodes registered after the cluster was complete and are not members. To add one, run ',
      h('code', { class: 'flag' }, 'etcdctl member add'),
      '.',
    ),
    h(
      'ol',
      { class: 'slots', start: cluster.size + 1 },
      ...standbys.map((member, index) => memberSlot(member, cluster.size + index + 1, clock)),
    ),
  );
}

function title(cluster: Cluster): string {
  switch (standingOf(cluster)) {
    case 'expired':
      return 'Members when the token expired';
    case 'deleted':
    case 'closed':
      return 'Members when the token was deleted';
    default:
      return 'Members';
  }
}

function memberSlot({ id, name, peerUrls, registerTime }: Member, rank: number, clock: Clock): VElement {
  const time = registerTime === undefined ? undefined : momentElement(timestampMs(registerTime), clock);
  return h(
    'li',
    { class: 'slot in' },
    h('span', { class: 'rank', 'aria-hidden': 'true' }, String(rank)),
    h(
      'div',
      { class: 'who' },
      h('bdi', { class: 'name' }, name),
      ...peerUrls.map((url) => h('bdi', { class: 'url' }, url)),
      // The name that deregister and etcd's own lists use.
      h('span', { class: 'since' }, 'ID ', h('bdi', { class: 'id' }, id)),
      time !== undefined && h('span', { class: 'since' }, 'Registered ', time),
    ),
  );
}

function freeSlot(rank: number, isMissing: boolean): VElement {
  return h(
    'li',
    { class: 'slot free' },
    h('span', { class: 'rank', 'aria-hidden': 'true' }, String(rank)),
    h(
      'div',
      { class: 'who' },
      h('span', { class: 'name' }, isMissing ? 'Missing' : 'Free'),
      h('span', { class: 'url' }, isMissing ? 'did not register in time' : 'waiting for a node'),
    ),
  );
}

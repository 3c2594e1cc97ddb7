import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Member } from '../../../gen/discovery/v1/cluster_pb.ts';
import { isEnded, type View } from '../cluster.ts';
import { h, type VElement } from './node.ts';
import { type Clock, momentElement } from './time.ts';

/** Free slots shown one by one; the others are counted. Nobody looks at a thousand empty boxes. */
const FREE_SHOWN = 24;

/** A slot for each node of the cluster: who is in it, or that it is free. */
export function membersSection(view: View, clock: Clock): VElement {
  const { cluster, members } = view;
  const free = isEnded(cluster) ? 0 : cluster.size - members.length;
  const shown = free > FREE_SHOWN + 1 ? FREE_SHOWN : free;
  return h(
    'section',
    { id: 'members', 'aria-labelledby': 'members-title', hidden: members.length + free === 0 },
    h('h2', { id: 'members-title' }, 'Members'),
    h(
      'ol',
      { class: cluster.size > FREE_SHOWN ? 'slots dense' : 'slots' },
      ...members.map((member, index) => memberSlot(member, index + 1, clock)),
      ...Array.from({ length: shown }, (_, index) => freeSlot(members.length + index + 1)),
      free > shown && h('li', { class: 'slot free rest' }, `and ${free - shown} more free slots`),
    ),
  );
}

/** Those who came too late, when there are any. */
export function standbysSection(view: View, clock: Clock): VElement {
  const { cluster, standbys } = view;
  return h(
    'section',
    { id: 'standbys', 'aria-labelledby': 'standbys-title', hidden: standbys.length === 0 },
    h('h2', { id: 'standbys-title' }, 'Standbys'),
    h(
      'p',
      { class: 'note' },
      'They registered when the cluster had all of its members, and take no place in it. Add such a node with etcdctl member add.',
    ),
    h(
      'ol',
      { class: 'slots', start: cluster.size + 1 },
      ...standbys.map((member, index) => memberSlot(member, cluster.size + index + 1, clock)),
    ),
  );
}

function memberSlot({ name, peerUrls, registerTime }: Member, rank: number, clock: Clock): VElement {
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
      time !== undefined && h('span', { class: 'since' }, 'since ', time),
    ),
  );
}

function freeSlot(rank: number): VElement {
  return h(
    'li',
    { class: 'slot free' },
    h('span', { class: 'rank', 'aria-hidden': 'true' }, String(rank)),
    h(
      'div',
      { class: 'who' },
      h('span', { class: 'name' }, 'Free'),
      h('span', { class: 'url' }, 'waiting for a node'),
    ),
  );
}

import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ClusterSummary } from '../../../gen/discovery/v1/operator_pb.ts';
import { h, type VElement, type VNode } from './node.ts';
import { type Clock, relativeText, spanText } from './time.ts';

/** The number of member names in a row. Further ones are counted. */
const NAMES_SHOWN = 8;

const STATE_WORDS: Readonly<Record<number, string>> = {
  [ClusterState.ASSEMBLING]: 'assembling',
  [ClusterState.COMPLETE]: 'complete',
  [ClusterState.EXPIRED]: 'expired',
  [ClusterState.DELETED]: 'deleted',
};

/** Renders a cluster in a list: its progress, what is missing and why, and a link to its page. */
export function clusterRow(cluster: ClusterSummary, clock: Clock): VElement {
  const { token, description, size, memberCount, state, warnings } = cluster;
  const word = STATE_WORDS[state] ?? '';
  return h(
    'li',
    { class: `cluster ${word}` },
    h('span', { class: 'count' }, `${memberCount}/${size}`),
    h(
      'div',
      { class: 'what' },
      h('p', { class: 'title' }, link(token, description, size)),
      h('p', { class: 'people' }, ...whoText(cluster, clock)),
      warnings.length > 0 &&
        h('ul', { class: 'look' }, ...warnings.map(({ text }) => h('li', {}, h('bdi', {}, text)))),
      h('p', { class: 'meta' }, `${factsText(cluster, clock)} · logged as `, h('code', {}, cluster.label)),
    ),
  );
}

/** Relative to the root, and never with another scheme. */
function link(token: string, description: string, size: number): VElement {
  const text = description === '' ? `Cluster of ${size}` : description;
  return h('a', { href: `./${encodeURIComponent(token)}` }, h('bdi', {}, text));
}

/** Describes which members have registered, how many are missing, and since when none has registered. */
function whoText({ memberNames, missingCount, state, waitingSince }: ClusterSummary, clock: Clock): VNode[] {
  const names = memberNames.slice(0, NAMES_SHOWN);
  const others = memberNames.length - names.length;
  const there: VNode[] =
    names.length === 0
      ? [state === ClusterState.DELETED ? 'Its members were deleted with it.' : 'No nodes have registered.']
      : [
          ...names.flatMap((name, i): VNode[] => [i === 0 ? '' : ', ', h('bdi', {}, name)]),
          others > 0 ? ` and ${others} more.` : '.',
        ];
  if (missingCount === 0) return there;
  const since =
    waitingSince === undefined
      ? ''
      : `, no new nodes for ${spanText(Math.max(0, clock.now - timestampMs(waitingSince)))}`;
  return [
    h('b', {}, `${missingCount} missing`),
    `${since}. `,
    ...(names.length > 0 ? ['Registered: '] : []),
    ...there,
  ];
}

function factsText(cluster: ClusterSummary, { now }: Clock): string {
  const { createTime, expireTime, deleteTime, completeTime, creator, guarded, standbyCount, state } = cluster;
  const when = (words: string, time: Timestamp | undefined): string[] =>
    time === undefined ? [] : [`${words} ${relativeText(timestampMs(time), now)}`];
  const expires = state === ClusterState.EXPIRED ? 'expired' : 'expires';
  return [
    ...when('created', createTime).map((text) => (creator === '' ? text : `${text} by ${creator}`)),
    ...when('complete', completeTime),
    ...when('deleted', deleteTime),
    ...(deleteTime === undefined ? when(expires, expireTime) : []),
    ...(standbyCount > 0 ? [`${standbyCount} standby`] : []),
    ...(guarded ? ['guarded by a secret'] : []),
  ].join(' · ');
}

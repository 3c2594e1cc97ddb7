import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ClusterSummary } from '../../../gen/discovery/v1/operator_pb.ts';
import { h, type VElement, type VNode } from './node.ts';
import { type Clock, relativeText, spanText } from './time.ts';

/** Names of members in a row; the others are counted. */
const NAMES_SHOWN = 8;

const STATE_WORDS: Readonly<Record<number, string>> = {
  [ClusterState.ASSEMBLING]: 'assembling',
  [ClusterState.COMPLETE]: 'complete',
  [ClusterState.EXPIRED]: 'expired',
  [ClusterState.DELETED]: 'deleted',
};

/** A cluster among others: how far it is, who is missing and why, and the way to its page. */
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
      h('p', { class: 'meta' }, `${factsText(cluster, clock)} · in the log `, h('code', {}, cluster.label)),
    ),
  );
}

/** Relative to the root, and never another scheme. */
function link(token: string, description: string, size: number): VElement {
  const text = description === '' ? `Cluster of ${size}` : description;
  return h('a', { href: `./${encodeURIComponent(token)}` }, h('bdi', {}, text));
}

/** Who has come, who has not, and for how long nobody new has. */
function whoText({ memberNames, missingCount, state, waitingSince }: ClusterSummary, clock: Clock): VNode[] {
  const names = memberNames.slice(0, NAMES_SHOWN);
  const others = memberNames.length - names.length;
  const there: VNode[] =
    names.length === 0
      ? [state === ClusterState.DELETED ? 'Its members went with it.' : 'Nobody has registered.']
      : [
          ...names.flatMap((name, i): VNode[] => [i === 0 ? '' : ', ', h('bdi', {}, name)]),
          others > 0 ? ` and ${others} more.` : '.',
        ];
  if (missingCount === 0) return there;
  const since =
    waitingSince === undefined
      ? ''
      : `, and nobody new for ${spanText(Math.max(0, clock.now - timestampMs(waitingSince)))}`;
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
    ...when('made', createTime).map((text) => (creator === '' ? text : `${text} by ${creator}`)),
    ...when('complete', completeTime),
    ...when('deleted', deleteTime),
    ...(deleteTime === undefined ? when(expires, expireTime) : []),
    ...(standbyCount > 0 ? [`${standbyCount} standby`] : []),
    ...(guarded ? ['guarded by a secret'] : []),
  ].join(' · ');
}

import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ClusterSummary, ListClustersResponse } from '../../../gen/discovery/v1/operator_pb.ts';
import { clusterRow } from './cluster-row.ts';
import { h, type VElement } from './node.ts';
import { type Clock, spanText } from './time.ts';

/** The path of the page, relative to the root. No token starts with an underscore. */
export const OVERVIEW = '_clusters';

/**
 * A cluster that has been assembling this long, in ms, deserves attention: nodes normally register within
 * seconds of each other, or are started by hand.
 */
export const STUCK_MS = 10 * 60_000;

export type ListedState = 'assembling' | 'complete' | 'expired' | 'deleted';
type Listed = Pick<ListClustersResponse, 'clusters' | 'nextPageToken'>;

/** Renders the overview. Stuck clusters come first, because somebody has to act on them. */
export function overviewMain(
  { stuck, forming, complete }: Readonly<Record<'stuck' | 'forming' | 'complete', Listed>>,
  clock: Clock,
): VElement {
  const young = forming.clusters.filter((cluster) => madeAt(cluster) > clock.now - STUCK_MS);
  const lately = complete.clusters.toSorted((a, b) => completeAt(b) - completeAt(a));
  // Whether clusters that were left out may be among the young ones.
  const moreForming = young.length === forming.clusters.length ? forming.nextPageToken : '';
  return h(
    'main',
    { id: 'main', class: 'overview' },
    h(
      'section',
      { class: 'head' },
      h('h1', {}, 'Clusters'),
      h('p', { class: 'lead' }, summary(stuck, young.length, moreForming)),
      nav(undefined),
    ),
    part(
      'stuck',
      'Stuck',
      stuck,
      clock,
      `No cluster has been assembling for more than ${spanText(STUCK_MS)}.`,
    ),
    part(
      'forming',
      'Assembling',
      { clusters: young, nextPageToken: moreForming },
      clock,
      'No cluster is assembling.',
    ),
    part(
      'complete',
      'Recently completed',
      { ...complete, clusters: lately },
      clock,
      'No cluster is complete.',
    ),
  );
}

/** Renders all clusters in a state, page by page. */
export function filteredMain(
  { state, isFirst, ...listed }: Listed & { readonly state: ListedState; readonly isFirst: boolean },
  clock: Clock,
): VElement {
  const title = state.charAt(0).toUpperCase() + state.slice(1);
  const none = listed.nextPageToken === '' ? 'No more clusters.' : 'No matches so far.';
  return h(
    'main',
    { id: 'main', class: 'overview' },
    h(
      'section',
      { class: 'head' },
      h('h1', {}, `Clusters: ${title.toLowerCase()}`),
      h('p', { class: 'lead' }, isFirst ? 'Newest first.' : 'Older clusters.'),
      nav(state),
    ),
    h(
      'section',
      { 'aria-label': title },
      rows(listed.clusters, clock, isFirst && listed.nextPageToken === '' ? 'No clusters.' : none),
      more(listed.nextPageToken, state, 'Older clusters'),
    ),
  );
}

function summary(stuck: Listed, forming: number, moreForming: string): string {
  const some = (count: number, next: string): string => `${count}${next === '' ? '' : ' or more'}`;
  const stuckText = some(stuck.clusters.length, stuck.nextPageToken);
  return `${some(forming, moreForming)} assembling, ${stuckText === '0' ? 'none' : stuckText} stuck.`;
}

function nav(current: ListedState | undefined): VElement {
  const link = (href: string, text: string, isHere: boolean): VElement =>
    h('a', { href, ...(isHere && { 'aria-current': 'page' }) }, text);
  const states = ['assembling', 'complete', 'expired', 'deleted'] as const;
  return h(
    'nav',
    { class: 'states', 'aria-label': 'Filter clusters' },
    link(OVERVIEW, 'Overview', current === undefined),
    ...states.map((state) => link(hrefOf(state), state, state === current)),
  );
}

function part(
  id: 'stuck' | 'forming' | 'complete',
  title: string,
  listed: Listed,
  clock: Clock,
  none: string,
) {
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title` },
    h('h2', { id: `${id}-title` }, title),
    rows(listed.clusters, clock, none),
    listed.nextPageToken !== '' &&
      h('p', { class: 'more' }, h('a', { href: hrefOf(id === 'complete' ? id : 'assembling') }, 'Show all')),
  );
}

function rows(clusters: readonly ClusterSummary[], clock: Clock, none: string): VElement {
  if (clusters.length === 0) return h('p', { class: 'note' }, none);
  return h('ol', { class: 'clusters' }, ...clusters.map((cluster) => clusterRow(cluster, clock)));
}

function more(page: string, state: ListedState, text: string): VElement | false {
  if (page === '') return false;
  const href = `${hrefOf(state)}&page=${encodeURIComponent(page)}`;
  return h('p', { class: 'more' }, h('a', { class: 'button', href }, text));
}

const hrefOf = (state: ListedState): string => `${OVERVIEW}?state=${state}`;

function madeAt({ createTime }: ClusterSummary): number {
  return createTime === undefined ? 0 : timestampMs(createTime);
}

function completeAt({ completeTime }: ClusterSummary): number {
  return completeTime === undefined ? 0 : timestampMs(completeTime);
}

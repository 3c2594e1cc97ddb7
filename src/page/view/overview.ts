import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ClusterSummary, ListClustersResponse } from '../../../gen/discovery/v1/operator_pb.ts';
import { clusterRow } from './cluster-row.ts';
import { h, type VElement } from './node.ts';
import { type Clock, spanText } from './time.ts';

/** Where the page is, seen from the root. No token begins with an underscore. */
export const OVERVIEW = '_clusters';

/** A cluster that assembles for so long is worth a look: nodes come within seconds of each other, or are started by hand. */
export const STUCK_MS = 10 * 60_000;

export type ListedState = 'assembling' | 'complete' | 'expired' | 'deleted';
type Listed = Pick<ListClustersResponse, 'clusters' | 'nextPageToken'>;

/** The first look: what is stuck comes first, as somebody has to do something about it. */
export function overviewMain(
  { stuck, forming, complete }: Readonly<Record<'stuck' | 'forming' | 'complete', Listed>>,
  clock: Clock,
): VElement {
  const young = forming.clusters.filter((cluster) => madeAt(cluster) > clock.now - STUCK_MS);
  const lately = complete.clusters.toSorted((a, b) => completeAt(b) - completeAt(a));
  // Whether those that were left out may be among the young.
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
    part('stuck', 'Stuck', stuck, clock, `No cluster has assembled for more than ${spanText(STUCK_MS)}.`),
    part('forming', 'Forming now', { clusters: young, nextPageToken: moreForming }, clock, 'None forms now.'),
    part(
      'complete',
      'Completed lately',
      { ...complete, clusters: lately },
      clock,
      'No cluster has completed.',
    ),
  );
}

/** All clusters in a state, a page at a time. */
export function filteredMain(
  { state, isFirst, ...listed }: Listed & { readonly state: ListedState; readonly isFirst: boolean },
  clock: Clock,
): VElement {
  const title = state.charAt(0).toUpperCase() + state.slice(1);
  const none = listed.nextPageToken === '' ? 'There are no more.' : 'None among those looked at so far.';
  return h(
    'main',
    { id: 'main', class: 'overview' },
    h(
      'section',
      { class: 'head' },
      h('h1', {}, `Clusters: ${title.toLowerCase()}`),
      h('p', { class: 'lead' }, isFirst ? 'The newest first.' : 'Older ones.'),
      nav(state),
    ),
    h(
      'section',
      { 'aria-label': title },
      rows(listed.clusters, clock, isFirst && listed.nextPageToken === '' ? 'There are none.' : none),
      more(listed.nextPageToken, state, 'Older ones'),
    ),
  );
}

function summary(stuck: Listed, forming: number, moreForming: string): string {
  const some = (count: number, next: string): string => `${count}${next === '' ? '' : ' or more'}`;
  const stuckText = some(stuck.clusters.length, stuck.nextPageToken);
  return `${some(forming, moreForming)} forming, ${stuckText === '0' ? 'none' : stuckText} stuck.`;
}

function nav(current: ListedState | undefined): VElement {
  const link = (href: string, text: string, isHere: boolean): VElement =>
    h('a', { href, ...(isHere && { 'aria-current': 'page' }) }, text);
  const states = ['assembling', 'complete', 'expired', 'deleted'] as const;
  return h(
    'nav',
    { class: 'states', 'aria-label': 'Which clusters' },
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
      h(
        'p',
        { class: 'more' },
        h('a', { href: hrefOf(id === 'complete' ? id : 'assembling') }, 'All of them'),
      ),
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

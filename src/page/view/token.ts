import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { Access, type Cluster, ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import type { ClusterView } from '../cluster.ts';
import { codeBlock } from './code.ts';
import { endedSection } from './ended.ts';
import { membersSection, standbysSection } from './members.ts';
import { h, type VElement, type VNode } from './node.ts';
import { ring } from './ring.ts';
import { hasSecret, secretForm } from './secret.ts';
import { hasEnded, STANDING_NAMES, standingOf, summary } from './standing.ts';
import { type Choice, startSection } from './start.ts';
import { type Clock, relativeText, timeElement } from './time.ts';

/** TokenPlace is the location of a token's page. */
export interface TokenPlace {
  /** The token, with the secret that its reader gave, if any. */
  readonly token: string;
  /** The URL by which nodes reach the service, without a trailing slash. */
  readonly serviceUrl: string;
  /** The service's root, relative to the page. */
  readonly root: string;
}

export interface TokenPage extends TokenPlace {
  readonly view: ClusterView;
  readonly clock: Clock;
  /** The reader's choices. Undefined without a script. */
  readonly choice?: Choice;
  /** The lists of members, if they were already drawn for several pages. */
  readonly comers?: readonly VElement[];
}

/** Renders the lists of members: most of the page of a large cluster, and the same wherever it is read. */
export function comersSections(view: ClusterView, clock: Clock): readonly VElement[] {
  return [membersSection(view, clock), standbysSection(view, clock)];
}

/**
 * Renders the page of a token. All sections are always present, some hidden, so that it can be redrawn in
 * place.
 */
export function tokenMain(page: TokenPage): VElement {
  const { view, token, serviceUrl, root, clock, choice, comers } = page;
  const { cluster } = view;
  const interactive = choice !== undefined;
  const url = `${serviceUrl}/${token}`;
  const standing = standingOf(cluster);
  const complete = standing === 'complete';
  const lives = complete || standing === 'assembling';
  const known = lives ? { complete, size: cluster.size, members: view.members } : undefined;
  return h(
    'main',
    {
      id: 'main',
      class: `token ${standingOf(cluster)}`,
      'data-token': token,
      'data-root': root,
      'data-service-url': serviceUrl,
      'data-now': clock.now,
    },
    hero(cluster, clock),
    addressSection(page, url),
    warningsSection(cluster),
    completeSection(view, interactive),
    endedSection(cluster, { url, hasSecret: hasSecret(token), root, interactive }),
    comers ?? comersSections(view, clock),
    startSection({ serviceUrl, token, cluster: known }, choice),
  );
}

/** Returns the title of the browser tab: `2/3 staging`. */
export function tokenTitle(cluster: Cluster): string {
  const { size, memberCount, description } = cluster;
  const what = description === '' ? 'etcd cluster' : description;
  return hasEnded(cluster)
    ? `${STANDING_NAMES[standingOf(cluster)]}: ${what}`
    : `${memberCount}/${size} ${what}`;
}

function hero(cluster: Cluster, clock: Clock): VElement {
  const { description, size, memberCount, standbyCount, state } = cluster;
  const isKnown = memberCount > 0 || state !== ClusterState.DELETED;
  return h(
    'section',
    { class: 'hero' },
    ring(isKnown ? memberCount : undefined, size),
    h(
      'div',
      {},
      h('p', { class: 'state' }, STANDING_NAMES[standingOf(cluster)]),
      h('h1', {}, h('bdi', {}, description === '' ? `etcd cluster of ${size}` : description)),
      h('p', { class: 'lead' }, summary(cluster)),
      h(
        'dl',
        { class: 'facts' },
        fact('Created', when(cluster.createTime, clock)),
        state === ClusterState.DELETED
          ? fact('Deleted', when(cluster.deleteTime, clock))
          : fact(state === ClusterState.EXPIRED ? 'Expired' : 'Expires', when(cluster.expireTime, clock)),
        fact('Removal', when(cluster.purgeTime, clock), !hasEnded(cluster)),
        fact('Standbys', [String(standbyCount)], standbyCount === 0),
      ),
    ),
  );
}

function fact(name: string, value: readonly VNode[], hidden = false): VElement {
  return h('div', { hidden: hidden || value.length === 0 }, h('dt', {}, name), h('dd', {}, ...value));
}

function when(time: Timestamp | undefined, clock: Clock): VNode[] {
  if (time === undefined) return [];
  const ms = timestampMs(time);
  return [h('b', {}, relativeText(ms, clock.now)), ' ', timeElement(ms, clock)];
}

/** Renders the token's URL for sharing, and a form for the secret if nodes need one that is missing. */
function addressSection({ view, token, root, choice }: TokenPage, url: string): VElement {
  const isOpen = standingOf(view.cluster) === 'assembling';
  const wantsSecret = !hasSecret(token) && view.cluster.guard.some((access) => access <= Access.JOIN);
  const privacy = hasSecret(token)
    ? 'This URL contains the secret. Give it only to nodes and people who need it.'
    : 'Keep this URL private: anyone who has it can see the cluster and join it.';
  return h(
    'section',
    { id: 'address', 'aria-labelledby': 'address-title' },
    h('h2', { id: 'address-title' }, 'Token URL'),
    codeBlock('token-url', 'the token URL', url, choice !== undefined),
    h('p', { class: 'note', hidden: !isOpen || wantsSecret }, privacy),
    h(
      'div',
      { class: 'wants-secret', hidden: !isOpen || !wantsSecret },
      h(
        'p',
        { class: 'note' },
        'Nodes need a secret to join this cluster. Enter it to include it in the settings below.',
      ),
      secretForm(`${root}_page/open`, token),
    ),
  );
}

/** Announced by screen readers when it changes. */
function warningsSection(cluster: Cluster): VElement {
  const warnings = hasEnded(cluster) ? [] : cluster.warnings;
  return h(
    'section',
    { id: 'warnings', 'aria-labelledby': 'warnings-title', hidden: warnings.length === 0 },
    h('h2', { id: 'warnings-title' }, 'Check these addresses'),
    h('ul', { 'aria-live': 'polite' }, ...warnings.map(({ text }) => h('li', {}, h('bdi', {}, text)))),
  );
}

function completeSection({ cluster, initialCluster }: ClusterView, interactive: boolean): VElement {
  const shown = initialCluster !== '' && (cluster.formed || standingOf(cluster) === 'complete');
  return h(
    'section',
    { id: 'complete', 'aria-labelledby': 'complete-title', hidden: !shown },
    h('h2', { id: 'complete-title', tabindex: -1 }, 'Initial cluster'),
    h(
      'p',
      { class: 'note' },
      'Every node uses this list as its ',
      h('code', { class: 'flag' }, '--initial-cluster'),
      '. The nodes no longer need this service.',
    ),
    // Quoted if necessary: a shell could execute a member's name.
    codeBlock('initial-cluster', 'the initial cluster', shown ? shellWord(initialCluster) : '', interactive),
    h(
      'p',
      { class: 'note' },
      'To add a node later, run ',
      h('code', {}, 'etcdctl member add NAME --peer-urls=http://ADDRESS:2380'),
      ' with the ',
      h('code', { class: 'flag' }, '--endpoints'),
      ' of a running member, and start the node with the settings that it prints.',
    ),
  );
}

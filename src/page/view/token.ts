import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { type Cluster, ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { isEnded, type View } from '../cluster.ts';
import { codeBlock } from './code.ts';
import { membersSection, standbysSection } from './members.ts';
import { h, type VElement, type VNode } from './node.ts';
import { ring } from './ring.ts';
import { type Choice, startSection } from './start.ts';
import { type Clock, relativeText, timeElement } from './time.ts';

export interface TokenPage {
  readonly view: View;
  readonly token: string;
  /** How nodes reach the service, without a slash at the end. */
  readonly serviceUrl: string;
  readonly clock: Clock;
  /** What the reader chose; undefined without a script. */
  readonly choice?: Choice;
  /** Those who have come, drawn for several pages; undefined where they are for this one. */
  readonly comers?: readonly VElement[];
}

/** Those who have come: most of the page of a large cluster, and the same wherever it is read. */
export function comersSections(view: View, clock: Clock): readonly VElement[] {
  return [membersSection(view, clock), standbysSection(view, clock)];
}

/** The page of a token. Its sections are always there, some of them hidden, so that it can be redrawn in place. */
export function tokenMain({ view, token, serviceUrl, clock, choice, comers }: TokenPage): VElement {
  const { cluster } = view;
  const interactive = choice !== undefined;
  const names = [...view.members, ...view.standbys].map(({ name }) => name);
  const room = !isEnded(cluster) && cluster.memberCount < cluster.size;
  return h(
    'main',
    {
      id: 'main',
      class: `token ${stateWord(cluster)}`,
      'data-service-url': serviceUrl,
      'data-now': clock.now,
    },
    hero(cluster, clock),
    warningsSection(cluster),
    completeSection(view, interactive),
    endedSection(cluster),
    comers ?? comersSections(view, clock),
    startSection({ serviceUrl, token, names, room }, choice),
  );
}

/** For the browser's tab: `2/3 staging`. */
export function tokenTitle(cluster: Cluster): string {
  const { size, memberCount, description, state } = cluster;
  const what = description === '' ? 'etcd cluster' : description;
  return isEnded(cluster) ? `${STATE_NAMES[state]}: ${what}` : `${memberCount}/${size} ${what}`;
}

const STATE_NAMES: Readonly<Record<number, string>> = {
  [ClusterState.ASSEMBLING]: 'Assembling',
  [ClusterState.COMPLETE]: 'Complete',
  [ClusterState.EXPIRED]: 'Expired',
  [ClusterState.DELETED]: 'Deleted',
};

function stateWord({ state }: Cluster): string {
  return STATE_NAMES[state]?.toLowerCase() ?? '';
}

/** What a person wants to know first, in a sentence. */
export function summary(cluster: Cluster): string {
  const { size, memberCount } = cluster;
  const missing = size - memberCount;
  if (cluster.state === ClusterState.DELETED) return 'Nobody can join with its token any more.';
  if (isEnded(cluster))
    return `Its token has expired: ${memberCount} of ${size} ${nodes(size)} had registered.`;
  if (missing === 0) return size === 1 ? 'The one node is here.' : `All ${size} nodes are here.`;
  return `${memberCount} of ${size} ${nodes(size)} registered, ${missing} missing.`;
}

function nodes(count: number): string {
  return count === 1 ? 'node' : 'nodes';
}

function hero(cluster: Cluster, clock: Clock): VElement {
  const { description, size, memberCount, standbyCount, state } = cluster;
  return h(
    'section',
    { class: 'hero' },
    ring(memberCount, size),
    h(
      'div',
      {},
      h('p', { class: 'state' }, STATE_NAMES[state] ?? ''),
      h('h1', {}, h('bdi', {}, description === '' ? `New etcd cluster of ${size}` : description)),
      h('p', { class: 'lead' }, summary(cluster)),
      h(
        'dl',
        { class: 'facts' },
        fact('Made', when(cluster.createTime, clock)),
        state === ClusterState.DELETED
          ? fact('Deleted', when(cluster.deleteTime, clock))
          : fact(state === ClusterState.EXPIRED ? 'Expired' : 'Expires', when(cluster.expireTime, clock)),
        fact('Standbys', [String(standbyCount)], standbyCount === 0),
      ),
    ),
  );
}

function fact(name: string, value: readonly VNode[], hidden = false): VElement {
  return h('div', { hidden }, h('dt', {}, name), h('dd', {}, ...value));
}

function when(time: Timestamp | undefined, clock: Clock): VNode[] {
  if (time === undefined) return [];
  const ms = timestampMs(time);
  return [h('b', {}, relativeText(ms, clock.now)), ' ', timeElement(ms, clock)];
}

/** Its list speaks to a screen reader when it changes. */
function warningsSection(cluster: Cluster): VElement {
  const warnings = isEnded(cluster) ? [] : cluster.warnings;
  return h(
    'section',
    { id: 'warnings', 'aria-labelledby': 'warnings-title', hidden: warnings.length === 0 },
    h('h2', { id: 'warnings-title' }, 'Check these addresses'),
    h('ul', { 'aria-live': 'polite' }, ...warnings.map(({ text }) => h('li', {}, h('bdi', {}, text)))),
  );
}

function completeSection(view: View, interactive: boolean): VElement {
  const { state } = view.cluster;
  const complete = state === ClusterState.COMPLETE;
  return h(
    'section',
    { id: 'complete', 'aria-labelledby': 'complete-title', hidden: !complete },
    h('h2', { id: 'complete-title', tabindex: -1 }, 'The initial cluster'),
    h(
      'p',
      { class: 'note' },
      'What every node now has as --initial-cluster. They need this service no more.',
    ),
    // Quoted where need be: a member may have a name that a shell would run.
    codeBlock(
      'initial-cluster',
      'initial cluster',
      complete ? shellWord(view.initialCluster) : '',
      interactive,
    ),
    h(
      'p',
      { class: 'note' },
      'A node that comes later joins through the cluster itself: run ',
      h('code', {}, 'etcdctl member add NAME --peer-urls=http://ADDRESS:2380'),
      ' with the --endpoints of a member, and start the node with what it prints.',
    ),
  );
}

function endedSection(cluster: Cluster): VElement {
  return h(
    'section',
    { id: 'ended', 'aria-labelledby': 'ended-title', hidden: !isEnded(cluster) },
    h('h2', { id: 'ended-title', tabindex: -1 }, 'What to do'),
    h(
      'p',
      {},
      cluster.formed
        ? 'The cluster was complete, and a running cluster needs its token no more: there is nothing to do. To add a node, use etcdctl member add.'
        : 'A cluster that runs already is not affected. Nodes that still wait are told so in their logs: make a new token, and start all of the nodes with it.',
    ),
    h('p', { hidden: cluster.formed }, h('a', { class: 'button', href: './' }, 'Make a new token')),
  );
}

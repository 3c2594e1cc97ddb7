import type { Cluster } from '../../../gen/discovery/v1/cluster_pb.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { codeBlock } from './code.ts';
import { h, type VElement, type VNode } from './node.ts';
import { hasEnded, standingOf } from './standing.ts';

export interface EndedPlace {
  /** The token's URL. */
  readonly url: string;
  readonly hasSecret: boolean;
  /** The service's root, relative to the page. */
  readonly root: string;
  readonly interactive: boolean;
}

/** Says what to do when the cluster can no longer be joined. */
export function endedSection(cluster: Cluster, { url, hasSecret, root, interactive }: EndedPlace): VElement {
  const standing = standingOf(cluster);
  const reopens = standing === 'expired' && !cluster.formed;
  const hasCluster = cluster.formed || standing === 'formed';
  return h(
    'section',
    { id: 'ended', 'aria-labelledby': 'ended-title', hidden: !hasEnded(cluster) },
    h('h2', { id: 'ended-title', tabindex: -1 }, 'What to do'),
    h('p', {}, ...advice(cluster)),
    h(
      'div',
      { class: 'reopen', hidden: !reopens },
      codeBlock(
        'reopen',
        'the command that reopens the token',
        `etcd-discovery reopen ${shellWord(url)}`,
        interactive,
      ),
      h(
        'p',
        { class: 'note' },
        'After that, restart the nodes that use ',
        flag('--discovery'),
        ': they exited when the token expired. Nodes that use ',
        flag('--discovery-token'),
        ' are still waiting and resume.',
        cluster.guard.length > 0 && !hasSecret && NEEDS_SECRET,
      ),
    ),
    h(
      'p',
      { hidden: hasCluster || !hasEnded(cluster) },
      h('a', { class: 'button', href: root }, 'Create a new token'),
    ),
  );
}

function flag(name: string): VElement {
  return h('code', { class: 'flag' }, name);
}

function advice(cluster: Cluster): readonly VNode[] {
  const standing = standingOf(cluster);
  if (standing === 'formed' || cluster.formed) return [NEEDS_NOTHING, MEMBER_ADD, '.'];
  switch (standing) {
    case 'expired':
      return [
        cluster.memberCount === 0
          ? 'Give the token a new lifetime, or create a new token and start all nodes with it.'
          : 'To keep the registered nodes, give the token a new lifetime. Otherwise create a new token and start all nodes with it.',
      ];
    case 'closed':
      return [
        'More nodes may have registered after the backup. If they formed a cluster, it keeps running: add nodes to it with ',
        MEMBER_ADD,
        '. If not, create a new token and start all nodes with it.',
      ];
    default:
      return [
        'Create a new token and start all nodes with it. Nodes that were still waiting report the deletion in their logs.',
      ];
  }
}

const MEMBER_ADD = h('code', { class: 'flag' }, 'etcdctl member add');
const NEEDS_SECRET =
  ' The reopen command needs the secret of the token: add it to the end of the URL, as TOKEN:SECRET.';
const NEEDS_NOTHING = 'A running cluster does not need its token. To add a node, run ';

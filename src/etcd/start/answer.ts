import { initialClusterWith, isAt, type KnownCluster, type KnownMember } from './member.ts';
import { DEFAULT_DATA_DIR, type NodeStart, peerUrlOf } from './node.ts';
import { joinSteps, type Step } from './steps.ts';

/** What is to be done so that a node runs in the cluster of its token. */
export type Action =
  /** Start it: it finds the others by discovery. */
  | 'start'
  /** Start it with the data that it has. */
  | 'restart-with-data'
  /** Take the member that it was out of the cluster, add it anew, and start it empty. */
  | 'replace'
  /** Add it to the cluster, which has formed without it, and start it empty. */
  | 'join-late';

export interface Answer {
  readonly action: Action;
  /** Why, for a person. */
  readonly summary: string;
  /** To be run before the start, in this order; the rest only when all went well. */
  readonly steps: readonly Step[];
  /** What is to be started. */
  readonly node: NodeStart;
  /** How the member is replaced should its data be lost; unset where that is not the question. */
  readonly ifLost?: { readonly steps: readonly Step[]; readonly initialCluster: string } | undefined;
}

/** Why nothing is to be started as it was asked. */
export interface Refusal {
  readonly reason: 'NAME_TAKEN' | 'PEER_URL_TAKEN' | 'DATA_OF_ANOTHER_CLUSTER' | 'NO_MAJORITY' | 'INCOMPLETE';
  readonly message: string;
  /** What to do. */
  readonly next: string;
}

/** What is known of the data of an earlier start. */
export type Data = 'kept' | 'lost' | undefined;

export function isRefusal(answer: Answer | Refusal): answer is Refusal {
  return 'reason' in answer;
}

/**
 * What to do with a node, by the state of its cluster. The name or the address of another member is never answered
 * with something to start.
 */
export function answerFor(node: NodeStart, cluster: KnownCluster, data: Data): Answer | Refusal {
  const { members } = cluster;
  const namesake = members.find(({ name }) => name === node.name);
  const resident = members.find((member) => isAt(member, node));
  if (resident !== undefined && resident !== namesake) return addressTaken(node, resident);
  const isMoving = namesake !== undefined && resident === undefined;
  if (!cluster.complete) {
    if (data === 'kept') return dataOfAnother(node, cluster);
    return isMoving ? nameTaken(node, namesake, cluster) : start(node, cluster, namesake);
  }
  if (node.name === undefined || (node.ip === undefined && node.host === undefined))
    return incomplete(cluster);
  if (namesake === undefined) {
    return data === 'kept' ? restart(node, `${node.name} joined the cluster later`) : joinLate(node, cluster);
  }
  if (data === 'lost') return replace(node, cluster, namesake);
  if (isMoving) return nameTaken(node, namesake, cluster);
  const summary = `${node.name} is a member of the cluster, which has formed`;
  return restart(node, summary, cluster.size < 3 ? undefined : replacement(node, cluster));
}

function start(node: NodeStart, cluster: KnownCluster, namesake: KnownMember | undefined): Answer {
  const { members, size } = cluster;
  const who = `${members.length} of ${size} members are registered`;
  const summary =
    namesake === undefined ? who : `${who}, ${namesake.name} among them: it may be started again as it was`;
  return { action: 'start', summary, steps: [], node };
}

function restart(node: NodeStart, who: string, ifLost?: Answer['ifLost']): Answer {
  const summary = `${who}: start it with its data in ${directoryOf(node)}; etcd then ignores the discovery settings`;
  return { action: 'restart-with-data', summary, steps: [], node, ifLost };
}

function replace(node: NodeStart, cluster: KnownCluster, namesake: KnownMember): Answer | Refusal {
  if (cluster.size < 3) return noMajority(namesake, cluster.size);
  const { steps, initialCluster } = replacement(node, cluster);
  const summary = `${namesake.name} is a member of the cluster, which has formed, and its data is lost: it is replaced`;
  return { action: 'replace', summary, steps, node: { ...node, existing: initialCluster } };
}

function replacement(node: NodeStart, { members }: KnownCluster): NonNullable<Answer['ifLost']> {
  return { steps: joinSteps(node, members, true), initialCluster: initialClusterWith(node, members) };
}

function joinLate(node: NodeStart, { members }: KnownCluster): Answer {
  const summary = `the cluster has formed without ${node.name}, which is added to it`;
  const existing = initialClusterWith(node, members);
  return {
    action: 'join-late',
    summary,
    steps: joinSteps(node, members, false),
    node: { ...node, existing },
  };
}

function directoryOf({ dataDir = DEFAULT_DATA_DIR }: NodeStart): string {
  return dataDir;
}

function addressTaken(node: NodeStart, resident: KnownMember): Refusal {
  return {
    reason: 'PEER_URL_TAKEN',
    message: `${peerUrlOf(node)} is the address of the member ${resident.name}`,
    next: `give the node the name ${resident.name} if it is that member, else an address or a peer-port of its own`,
  };
}

function nameTaken(node: NodeStart, namesake: KnownMember, { complete }: KnownCluster): Refusal {
  const there = `${namesake.name} is the member at ${namesake.peerUrls.join(', ')}`;
  const isKnown = node.ip !== undefined || node.host !== undefined;
  const replaced = complete
    ? 'if it takes the place of that member, whose data is lost, say data=lost'
    : 'if that member has moved here, replace it first: etcd-discovery register --replace';
  return {
    reason: 'NAME_TAKEN',
    message: isKnown ? `${there}, and this node is at ${peerUrlOf(node)}` : there,
    next: `give the node a name of its own; ${replaced}`,
  };
}

function dataOfAnother(node: NodeStart, { members, size }: KnownCluster): Refusal {
  return {
    reason: 'DATA_OF_ANOTHER_CLUSTER',
    message: `the cluster has not formed (${members.length} of ${size} members are registered), so the data in ${directoryOf(node)} is that of another cluster`,
    next: 'empty the directory to have the node join this cluster, or start it with the token of its own',
  };
}

function noMajority({ name }: KnownMember, size: number): Refusal {
  const left =
    size === 1
      ? 'is the only member: without its data there is no cluster'
      : 'is one of two members: the other is not a majority';
  const other =
    size === 1
      ? 'make a new token'
      : 'start the other member with --force-new-cluster and add the node to it';
  return {
    reason: 'NO_MAJORITY',
    message: `${name} ${left}, so it cannot be replaced`,
    next: `restore a snapshot with etcdctl snapshot restore, or ${other}`,
  };
}

function incomplete({ size }: KnownCluster): Refusal {
  return {
    reason: 'INCOMPLETE',
    message: `the cluster has formed with ${size} ${size === 1 ? 'member' : 'members'}`,
    next: 'give the name and the address of a node: a member is started again or replaced, a new one joins late',
  };
}

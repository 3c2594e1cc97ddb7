import { initialClusterWith, isAt, type KnownCluster, type KnownMember } from './member.ts';
import { DEFAULT_DATA_DIR, type NodeStart, peerUrlOf } from './node.ts';
import { joinSteps, type ShellStep } from './steps.ts';

/** Action is what to do so that a node runs in the cluster of its token. */
export type Action =
  /** Start it: it finds the others by discovery. */
  | 'start'
  /** Start it with its existing data. */
  | 'restart-with-data'
  /** Remove its member from the cluster, add a new one, and start it empty. */
  | 'replace'
  /** Add it to the cluster, which formed without it, and start it empty. */
  | 'join-late';

export interface StartAnswer {
  readonly action: Action;
  /** The reason, for people. */
  readonly summary: string;
  /** Commands to run before the start, in this order. Stop at the first failure. */
  readonly steps: readonly ShellStep[];
  /** The node to start. */
  readonly node: NodeStart;
  /** How to replace the member if its data is lost. Unset where that does not apply. */
  readonly ifLost?: { readonly steps: readonly ShellStep[]; readonly initialCluster: string } | undefined;
}

/** StartRefusal says why the node cannot be started as requested. */
export interface StartRefusal {
  readonly reason: 'NAME_TAKEN' | 'PEER_URL_TAKEN' | 'DATA_OF_ANOTHER_CLUSTER' | 'NO_MAJORITY' | 'INCOMPLETE';
  readonly message: string;
  /** What to do. */
  readonly next: string;
}

/** Data says what is known about the data of an earlier start. */
export type Data = 'kept' | 'lost' | undefined;

export function isRefusal(answer: StartAnswer | StartRefusal): answer is StartRefusal {
  return 'reason' in answer;
}

/**
 * Returns what to do with a node, given the state of its cluster. A node that uses the name or the address of
 * another member gets a Refusal.
 */
export function answerFor(node: NodeStart, cluster: KnownCluster, data: Data): StartAnswer | StartRefusal {
  const { members } = cluster;
  const namesake = members.find(({ name }) => name === node.name);
  const resident = members.find((member) => isAt(member, node));
  if (resident !== undefined && resident !== namesake) return addressTaken(node, resident);
  const isMoving = namesake !== undefined && resident === undefined;
  if (!cluster.complete) {
    if (data === 'kept') return dataOfAnother(node, cluster);
    return isMoving ? nameTaken(node, namesake, cluster) : start(node, cluster, namesake);
  }
  if (node.name === undefined || (node.ip === undefined && node.host === undefined)) return INCOMPLETE;
  if (namesake === undefined) {
    return data === 'kept' ? restart(node, `${node.name} joined the cluster later`) : joinLate(node, cluster);
  }
  if (data === 'lost') return replace(node, cluster, namesake);
  if (isMoving) return nameTaken(node, namesake, cluster);
  const summary = `${namesake.name} is a member of the complete cluster`;
  return restart(node, summary, cluster.size < 3 ? undefined : replacement(node, cluster));
}

function start(node: NodeStart, cluster: KnownCluster, namesake: KnownMember | undefined): StartAnswer {
  const { members, size } = cluster;
  const who = `${members.length} of ${size} members are registered`;
  const summary =
    namesake === undefined ? who : `${who}, including ${namesake.name}, which can be started again unchanged`;
  return { action: 'start', summary, steps: [], node };
}

function restart(node: NodeStart, who: string, ifLost?: StartAnswer['ifLost']): StartAnswer {
  const summary = `${who}: start it with its data in ${directoryOf(node)}; etcd ignores the discovery settings when it has data`;
  return { action: 'restart-with-data', summary, steps: [], node, ifLost };
}

function replace(node: NodeStart, cluster: KnownCluster, namesake: KnownMember): StartAnswer | StartRefusal {
  if (cluster.size < 3) return noMajority(namesake, cluster.size);
  const { steps, initialCluster } = replacement(node, cluster);
  const summary = `${namesake.name} is a member of the complete cluster and its data is lost: replace it`;
  return { action: 'replace', summary, steps, node: { ...node, existing: initialCluster } };
}

function replacement(node: NodeStart, { members }: KnownCluster): NonNullable<StartAnswer['ifLost']> {
  return { steps: joinSteps(node, members, true), initialCluster: initialClusterWith(node, members) };
}

function joinLate(node: NodeStart, { members }: KnownCluster): StartAnswer {
  const summary = `the cluster is complete without ${node.name}: add it`;
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

function addressTaken(node: NodeStart, resident: KnownMember): StartRefusal {
  return {
    reason: 'PEER_URL_TAKEN',
    message: `${peerUrlOf(node)} is already the address of member ${resident.name}`,
    next: `if the node is that member, set its name to ${resident.name}; otherwise give it another address or peer-port`,
  };
}

function nameTaken(node: NodeStart, namesake: KnownMember, { complete }: KnownCluster): StartRefusal {
  const there = `${namesake.name} is already the member at ${namesake.peerUrls.join(', ')}`;
  const isKnown = node.ip !== undefined || node.host !== undefined;
  const replaced = complete
    ? 'if it replaces that member because its data is lost, set data=lost (--data lost)'
    : 'if that member moved to this address, update it first with etcd-discovery register --replace';
  return {
    reason: 'NAME_TAKEN',
    message: isKnown ? `${there}, and this node is at ${peerUrlOf(node)}` : there,
    next: `give the node another name; ${replaced}`,
  };
}

function dataOfAnother(node: NodeStart, { members, size }: KnownCluster): StartRefusal {
  return {
    reason: 'DATA_OF_ANOTHER_CLUSTER',
    message: `the cluster is not complete (${members.length} of ${size} members are registered), so the data in ${directoryOf(node)} belongs to another cluster`,
    next: 'empty the directory to join this cluster, or start the node with the token of its own cluster',
  };
}

function noMajority({ name }: KnownMember, size: number): StartRefusal {
  const left =
    size === 1 ? 'is the only member' : 'is one of two members, and the other alone is not a majority';
  const other =
    size === 1
      ? 'create a new token'
      : 'start the other member with --force-new-cluster and add the node to it';
  return {
    reason: 'NO_MAJORITY',
    message: `${name} ${left}, so it cannot be replaced`,
    next: `restore a snapshot with etcdctl snapshot restore, or ${other}`,
  };
}

const INCOMPLETE: StartRefusal = {
  reason: 'INCOMPLETE',
  message: 'the cluster is complete',
  next: 'enter the name and the address of a node, to restart or replace a member or to add a new node',
};

import { listOf } from './list.ts';
import { memo } from './memo.ts';
import { type PeerAddress, peerAddressOf } from './peer-address.ts';

// Finds likely mistakes in the peer URLs of a cluster's members. Each may be intended, so nothing is
// rejected. Pure, and used in browsers too.

export type PeerWarningKind = 'LOOPBACK' | 'MIXED_SCHEMES' | 'SAME_ADDRESS' | 'ODD_PORT';

export interface PeerWarning {
  readonly kind: PeerWarningKind;
  /** The names of the affected members. */
  readonly members: readonly string[];
  /** A text for people: what is likely wrong, and what to do. */
  readonly text: string;
}

/** PeerMember is the part of a member that warnings depend on. */
export interface PeerMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** A member with its parsed peer URLs. */
interface Peer {
  readonly name: string;
  readonly addresses: readonly PeerAddress[];
}

/** The ports on which etcd serves clients, now and before 2.0. */
const CLIENT_PORTS: ReadonlySet<number> = new Set([2379, 4001]);

const NAMES_SHOWN = 3;
/**
 * The number of peer URLs examined per member. Real nodes have fewer, and each registration examines every
 * member.
 */
const URLS_READ = 4;
/** The maximum number of names in one warning, because every response about the cluster includes them. */
const MEMBERS_TOLD = 32;
/** The maximum number of reported shared addresses. Correcting the first ones reveals the others. */
const GROUPS_SHOWN = 16;

export function peerWarnings(members: readonly PeerMember[]): readonly PeerWarning[] {
  if (members.length < 2) return [];
  const peers = members.map(peerOf).filter(({ addresses }) => addresses.length > 0);
  if (areOrdinary(peers)) return [];
  return [loopback(peers), mixedSchemes(peers), ...sameAddresses(peers), ...ports(peers)].filter(
    (warning) => warning !== undefined,
  );
}

// Members are immutable, so those of a large cluster are parsed once and not at every registration.
const peersOfMembers = memo<PeerMember, Peer>();

function peerOf(member: PeerMember): Peer {
  let peer = peersOfMembers.get(member);
  if (peer === undefined) {
    const addresses: PeerAddress[] = [];
    for (const url of member.peerUrls.slice(0, URLS_READ)) {
      const address = peerAddressOf(url);
      if (address !== undefined) addresses.push(address);
    }
    peer = { name: member.name, addresses };
    peersOfMembers.set(member, peer);
  }
  return peer;
}

/** Up to this many members, comparing all with all is cheaper than a set of their hosts. */
const FEW = 9;

/**
 * Whether nothing can be wrong with a small cluster: one address each, all different, not loopback, with the
 * same scheme and port. Most clusters are like this, and each registration asks.
 */
function areOrdinary(peers: readonly Peer[]): boolean {
  const first = peers[0]?.addresses[0];
  if (first === undefined || peers.length > FEW) return false;
  return peers.every(({ addresses: [own, second] }, index) => {
    if (own === undefined || second !== undefined) return false;
    if (own.scheme !== first.scheme || own.port !== first.port) return false;
    if (own.isLoopback || own.shortPlace !== undefined) return false;
    return !peers.slice(0, index).some(({ addresses: [other] }) => other?.host === own.host);
  });
}

/**
 * Finds members that only their own machine can reach, next to others. A cluster entirely on loopback is a
 * test on one machine.
 */
function loopback(peers: readonly Peer[]): PeerWarning | undefined {
  const isLocal = ({ addresses }: Peer): boolean => addresses.every((each) => each.isLoopback);
  const local = peers.filter(isLocal);
  if (local.length === 0 || local.length === peers.length) return undefined;
  const others = peers.filter((peer) => !isLocal(peer));
  return warning(
    'LOOPBACK',
    local,
    `${told(local)} ${has(local)} a loopback address, which ${names(others)} cannot reach unless all nodes run on one machine; set --initial-advertise-peer-urls to an address that every node can reach`,
  );
}

/** etcd's peers dial any scheme, but a listener with TLS accepts nothing else. */
function mixedSchemes(peers: readonly Peer[]): PeerWarning | undefined {
  const having = (scheme: PeerAddress['scheme']): Peer[] =>
    peers.filter(({ addresses }) => addresses.some((each) => each.scheme === scheme));
  const [plain, tls] = [having('http'), having('https')];
  if (plain.length === 0 || tls.length === 0) return undefined;
  const [few, many] = plain.length <= tls.length ? [plain, tls] : [tls, plain];
  const [scheme, other] = few === plain ? ['http', 'https'] : ['https', 'http'];
  return warning(
    'MIXED_SCHEMES',
    few,
    `${told(few)} ${has(few)} ${scheme} peer URLs and ${names(many)} ${has(many)} ${other}; use TLS either for all nodes or for none`,
  );
}

/**
 * Finds one port of one machine in two spellings or with two schemes: only one of the nodes can listen there.
 */
function sameAddresses(peers: readonly Peer[]): PeerWarning[] {
  const owners = new Map<string, Peer>();
  const groups = new Map<string, Set<Peer>>();
  const share = (place: string, owner: Peer, peer: Peer): void => {
    groups.set(place, (groups.get(place) ?? new Set([owner])).add(peer));
  };
  for (const peer of peers) {
    for (const { place } of peer.addresses) {
      const owner = owners.get(place);
      if (owner === undefined) owners.set(place, peer);
      else share(place, owner, peer);
    }
  }
  for (const peer of peers) {
    for (const { shortPlace } of peer.addresses) {
      const owner = shortPlace === undefined ? undefined : owners.get(shortPlace);
      if (owner !== undefined && shortPlace !== undefined) share(shortPlace, owner, peer);
    }
  }
  if (groups.size === 0) return [];
  const ranks = new Map(peers.map((peer, index) => [peer, index]));
  const rankOf = (peer: Peer): number => ranks.get(peer) ?? 0;
  return [...groups.values()]
    .filter(({ size }) => size > 1)
    .slice(0, GROUPS_SHOWN)
    .map((group) => [...group].sort((a, b) => rankOf(a) - rankOf(b)))
    .map((group) =>
      warning(
        'SAME_ADDRESS',
        group,
        `${told(group)} probably have the same address, but only one node can listen there; set a different --initial-advertise-peer-urls for each node`,
      ),
    );
}

function ports(peers: readonly Peer[]): Array<PeerWarning | undefined> {
  const first = peers[0]?.addresses[0]?.port;
  if (peers.every(({ addresses }) => addresses.every(({ port }) => port === first))) return [];
  const alone = onHostsOfTheirOwn(peers);
  return [clientPort(peers, alone), oddPort(peers, alone)];
}

/** Finds members whose peer URL likely has the client port, unlike the others. */
function clientPort(peers: readonly Peer[], alone: readonly Peer[]): PeerWarning | undefined {
  const atClientPort = ({ addresses }: Peer): boolean =>
    addresses.every(({ port }) => CLIENT_PORTS.has(port));
  const wrong = alone.filter(atClientPort);
  if (wrong.length === 0 || peers.every(atClientPort)) return undefined;
  return warning(
    'ODD_PORT',
    wrong,
    `${told(wrong)} ${has(wrong)} etcd's default client port; set --initial-advertise-peer-urls to the peer port, usually 2380`,
  );
}

/**
 * Finds members with a port that no other member has while most of the others share one. Nodes on the same
 * machine need different ports, so only members alone on their host count.
 */
function oddPort(peers: readonly Peer[], alone: readonly Peer[]): PeerWarning | undefined {
  const users = new Map<number, number>();
  for (const { addresses } of peers) {
    for (const port of portsOf(addresses)) users.set(port, (users.get(port) ?? 0) + 1);
  }
  const usersOf = (port: number): number => users.get(port) ?? 0;
  const odd = alone.filter(({ addresses }) =>
    addresses.every(({ port }) => usersOf(port) === 1 && !CLIENT_PORTS.has(port)),
  );
  if (odd.length === 0) return undefined;
  const [usual = 0] = [...users.keys()].sort((a, b) => usersOf(b) - usersOf(a));
  const usualUsers = alone.filter(({ addresses }) => addresses.some(({ port }) => port === usual));
  if (usualUsers.length < 2 || usualUsers.length * 2 <= alone.length) return undefined;
  return warning(
    'ODD_PORT',
    odd,
    `${told(odd)} ${has(odd)} a port that no other member has, while ${names(usualUsers)} have ${usual}; check the port in --initial-advertise-peer-urls`,
  );
}

function onHostsOfTheirOwn(peers: readonly Peer[]): readonly Peer[] {
  const users = new Map<string, number>();
  for (const { addresses } of peers) {
    for (const host of hostsOf(addresses)) users.set(host, (users.get(host) ?? 0) + 1);
  }
  return peers.filter(({ addresses }) => addresses.every(({ host }) => users.get(host) === 1));
}

const hostsOf = (addresses: readonly PeerAddress[]): ReadonlySet<string> =>
  new Set(addresses.map(({ host }) => host));

const portsOf = (addresses: readonly PeerAddress[]): ReadonlySet<number> =>
  new Set(addresses.map(({ port }) => port));

function warning(kind: PeerWarningKind, members: readonly Peer[], text: string): PeerWarning {
  return { kind, members: members.slice(0, MEMBERS_TOLD).map(({ name }) => name), text };
}

const has = (peers: readonly Peer[]): string => (peers.length === 1 ? 'has' : 'have');

/** Formats `a (http://10.0.0.1:2380) and b (http://10.0.0.2:2380)`. */
const told = (peers: readonly Peer[]): string =>
  list(peers.map(({ name, addresses: [first] }) => `${name} (${first?.url})`));

const names = (peers: readonly Peer[]): string => list(peers.map(({ name }) => name));

/** Formats `a, b and 3 more`. */
function list(items: readonly string[]): string {
  const shown =
    items.length > NAMES_SHOWN + 1
      ? [...items.slice(0, NAMES_SHOWN), `${items.length - NAMES_SHOWN} more`]
      : items;
  return listOf(shown, 'and');
}

import { checkMemberBytes } from './bytes.ts';
import type { Change } from './change.ts';
import {
  isComplete,
  MEMBER_ADD,
  requireKnown,
  requireLive,
  requireNotDeleted,
  requireNotEnded,
} from './cluster.ts';
import { checkNotFinal, checkRetry, checkRoom, checkStandbysBytes } from './complete.ts';
import { DiscoveryError } from './errors.ts';
import { alike } from './member-index.ts';
import { checkText } from './one-text.ts';
import { peerAddress } from './parse.ts';
import type { Cluster, Member, Registration } from './types.ts';
import { type MemberId, type Millis, millis, type PeerUrl, type Revision, type Ttl } from './types.ts';
import { requireUnworn } from './wear.ts';

// The rules of the domain: a command and the current cluster become a change, no change (undefined), or an
// error (thrown). Pure, because a store may have to evaluate them twice.

export interface RegisterCommand extends Registration {
  readonly mode: 'CREATE' | 'REPLACE' | 'CREATE_OR_REPLACE';
  readonly whenFull: 'REFUSE' | 'STANDBY';
  /** The modRevision that the member must have. */
  readonly expected?: Revision;
}

export function decideRegister(
  cluster: Cluster | undefined,
  command: RegisterCommand,
  now: Millis,
  retryTime: Millis = now,
): Change | undefined {
  const into = requireLive(cluster, now);
  const { id, name, mode } = command;
  const members = alike(into.members, command);
  const registered = members.find((member) => member.id === id);
  if (registered === undefined) {
    if (mode === 'REPLACE' || command.expected !== undefined) throw noSuchMember(id);
    checkText(into.members, command);
    checkFree(members, command);
    checkRoom(into, command);
    checkMemberBytes(into, command);
    requireUnworn(into, { membersAfter: into.members.length + 1, about: [command] });
    const change = { type: 'REGISTERED', time: now, member: registrationOf(command) } as const;
    return mode === 'CREATE_OR_REPLACE' ? { ...change, wouldReplace: true } : change;
  }
  const same = sameRegistration(registered, command);
  // A retry of a replacement whose response was lost.
  if (mode !== 'CREATE' && same) return undefined;
  checkExpected(registered, command.expected);
  if (mode === 'CREATE') {
    if (!same) {
      // etcd derives the ID from the peer URLs: a second node at the same address sends the same ID.
      if (registered.name !== name) checkPeerUrls(registered, addressesOf(command));
      throw memberExists(into, registered);
    }
    checkRetry(into, registered, retryTime);
    return undefined;
  }
  checkNotFinal(into, registered);
  checkText(into.members, command);
  checkFree(members, command);
  checkMemberBytes(into, command);
  checkStandbysBytes(into, command);
  requireUnworn(into, { membersAfter: into.members.length, about: [command, registered] });
  return { type: 'REPLACED', time: now, member: registrationOf(command) };
}

/** Whether the command would remove another node's registration from the cluster. */
export function takesOut(cluster: Cluster | undefined, command: RegisterCommand): boolean {
  if (command.mode === 'CREATE' || cluster === undefined) return false;
  const registered = alike(cluster.members, command).find(({ id }) => id === command.id);
  return registered !== undefined && !sameRegistration(registered, command);
}

export function decideDeregister(
  cluster: Cluster | undefined,
  id: MemberId,
  expected: Revision | undefined,
  now: Millis,
): Change {
  const from = requireLive(cluster, now);
  const member = from.members.find((each) => each.id === id);
  if (member === undefined) throw noSuchMember(id);
  checkExpected(member, expected);
  checkNotFinal(from, member);
  requireUnworn(from, { membersAfter: from.members.length - 1, about: [member] });
  return { type: 'DEREGISTERED', time: now, id };
}

/** Gives a remembered token a new lifetime that starts now. */
export function decideReopen(cluster: Cluster | undefined, ttl: Ttl, now: Millis): Change {
  const known = requireNotDeleted(requireKnown(cluster), now);
  requireUnworn(known, { membersAfter: known.members.length, about: [] });
  return { type: 'TOKEN_REOPENED', time: now, expireTime: millis(now + ttl) };
}

export function decideDelete(cluster: Cluster | undefined, now: Millis): Change | undefined {
  if (requireKnown(cluster).deleteTime !== undefined) return undefined;
  requireNotEnded(cluster, now);
  return { type: 'TOKEN_DELETED', time: now };
}

function sameRegistration(member: Member, other: Registration): boolean {
  return (
    member.name === other.name &&
    member.peerUrls.length === other.peerUrls.length &&
    member.peerUrls.every((url, i) => url === other.peerUrls[i])
  );
}

function registrationOf({ id, name, peerUrls, discoveryText }: Registration): Registration {
  return discoveryText === undefined ? { id, name, peerUrls } : { id, name, peerUrls, discoveryText };
}

/** Throws if another member has the name or a peer URL: etcd does not start from a list with duplicates. */
function checkFree(members: readonly Member[], wanted: Registration): void {
  const addresses = addressesOf(wanted);
  for (const member of members) {
    if (member.id === wanted.id) continue;
    if (member.name === wanted.name) {
      throw new DiscoveryError(
        'NAME_TAKEN',
        `the name '${member.name}' is taken by the member at ${shownUrls(member)}; start this node with a different --name, or remove that member first if it was this node (etcd-discovery deregister)`,
        { member },
      );
    }
    checkPeerUrls(member, addresses);
  }
}

function addressesOf(wanted: Registration): ReadonlyMap<string, PeerUrl> {
  return new Map(wanted.peerUrls.map((url) => [peerAddress(url), url]));
}

function checkPeerUrls(member: Member, addresses: ReadonlyMap<string, PeerUrl>): void {
  for (const url of member.peerUrls) {
    const own = addresses.get(peerAddress(url));
    if (own === undefined) continue;
    throw new DiscoveryError(
      'PEER_URL_TAKEN',
      `the peer URL ${own} is taken by the member '${member.name}'; start this node with a different --initial-advertise-peer-urls, or remove that member first if it was this node (etcd-discovery deregister)`,
      { member },
    );
  }
}

function checkExpected(member: Member, expected: Revision | undefined): void {
  if (expected === undefined || expected === member.modRevision) return;
  throw new DiscoveryError(
    'REVISION_MISMATCH',
    `the member is at revision ${member.modRevision}, expected ${expected}; read it again and retry`,
    { member },
  );
}

function memberExists(cluster: Cluster, member: Member): DiscoveryError {
  const next = isComplete(cluster) ? MEMBER_ADD : 'deregister it first, or register with another id';
  return new DiscoveryError(
    'MEMBER_EXISTS',
    `the member id ${member.id} is already registered as '${member.name}' at ${shownUrls(member)}; ${next}`,
    { member },
  );
}

function noSuchMember(id: MemberId): DiscoveryError {
  return new DiscoveryError(
    'MEMBER_NOT_FOUND',
    `no member ${id} is registered under this token; list the members to see their ids`,
  );
}

/** Shows the first peer URL and the number of others, which is enough to identify the member. */
function shownUrls({ peerUrls: [first, ...others] }: Member): string {
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`;
}

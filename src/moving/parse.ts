import { DiscoveryError } from '../discovery/errors.ts';
import {
  parseChosenToken,
  parseDescription,
  parseDiscoveryText,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseSize,
  peerAddress,
} from '../discovery/parse.ts';
import type { Policy } from '../discovery/policy.ts';
import type { Locks } from '../discovery/types.ts';
import { type Millis, millis } from '../discovery/types.ts';
import { CLUSTER_LIMITS } from '../limits.ts';
import { counted } from '../values/counted.ts';
import { formatDuration } from '../values/duration.ts';
import type { MovedCluster, MovedMember } from './moved.ts';

/** A cluster as its source has it, not yet looked at. Times in ms. */
export interface RawCluster {
  readonly token: string;
  readonly size: number;
  readonly description: string;
  readonly allowRejoin: boolean;
  readonly locks?: Locks;
  readonly createTime: number;
  readonly expireTime: number;
  readonly isAgeGuessed: boolean;
  readonly members: readonly RawMember[];
}

export interface RawMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly registerTime: number;
  readonly discoveryText?: string;
}

/** The rules that every cluster of a store keeps. A string says which one is broken. */
export function parseCluster(raw: RawCluster, policy: Policy, now: Millis): MovedCluster | string {
  try {
    return parsed(raw, policy, now);
  } catch (error) {
    if (error instanceof DiscoveryError) return error.message;
    throw error;
  }
}

function parsed(raw: RawCluster, policy: Policy, now: Millis): MovedCluster | string {
  const { allowRejoin, locks, isAgeGuessed } = raw;
  const size = parseSize(raw.size, policy);
  if (!(raw.expireTime > raw.createTime)) return 'it expires before it was made';
  // A token that was reopened may have lived for long already.
  if (raw.expireTime - Math.max(raw.createTime, now) > policy.maxTtl) {
    return `it lives longer than the ${formatDuration(policy.maxTtl)} that are allowed here; raise --max-ttl`;
  }
  if (raw.members.length > size + CLUSTER_LIMITS.standbys) {
    return `it has ${counted(raw.members.length, 'member')}, and ${size} and ${CLUSTER_LIMITS.standbys} standbys are the most`;
  }
  const taken = new Set<string>();
  const members: MovedMember[] = [];
  for (const each of raw.members) {
    const member = {
      id: parseMemberId(each.id),
      name: parseMemberName(each.name),
      peerUrls: parsePeerUrls(each.peerUrls),
      registerTime: millis(each.registerTime),
      ...(each.discoveryText !== undefined && { discoveryText: parseDiscoveryText(each.discoveryText) }),
    };
    const own = [`id ${member.id}`, `name ${member.name}`, ...member.peerUrls.map(peerAddress)];
    const twice = own.find((key) => taken.has(key));
    if (twice !== undefined) return `two of its members share the ${twice.replace(/^http/, 'peer URL http')}`;
    for (const key of own) taken.add(key);
    members.push(member);
  }
  return {
    // It was chosen, or issued, where that was allowed.
    token: parseChosenToken(raw.token, { ...policy, customTokens: true }),
    size,
    description: parseDescription(raw.description),
    allowRejoin,
    ...(locks && { locks }),
    createTime: millis(raw.createTime),
    expireTime: millis(raw.expireTime),
    isAgeGuessed,
    members,
  };
}

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

/** RawCluster is a cluster as its source has it, not validated yet. Times in ms. */
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

/** Applies the rules that every cluster in a store obeys. Returns a string that says which one is broken. */
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
  if (!(raw.expireTime > raw.createTime)) return 'the token expires before it was created';
  // A reopened token may already be old, so only the rest of its lifetime is limited.
  if (raw.expireTime - Math.max(raw.createTime, now) > policy.maxTtl) {
    return `the token's lifetime is longer than the maximum of ${formatDuration(policy.maxTtl)}; raise --max-ttl`;
  }
  if (raw.members.length > size + CLUSTER_LIMITS.standbys) {
    return `the token has ${counted(raw.members.length, 'member')}; the maximum is ${size} and ${CLUSTER_LIMITS.standbys} standbys`;
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
    if (twice !== undefined) return `two members share the ${twice.replace(/^http/, 'peer URL http')}`;
    for (const key of own) taken.add(key);
    members.push(member);
  }
  return {
    // The token was chosen or issued at a service that allowed it.
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

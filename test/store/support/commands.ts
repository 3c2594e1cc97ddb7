import { randomBytes } from 'node:crypto';
import { hashSecret } from '../../../src/discovery/access.ts';
import type { RegisterCommand } from '../../../src/discovery/decide.ts';
import type { CreateCommand } from '../../../src/discovery/decide-create.ts';
import type {
  ClusterSize,
  DiscoveryText,
  MemberId,
  MemberName,
  Millis,
  PeerUrl,
  Token,
  Ttl,
} from '../../../src/discovery/types.ts';

// Commands for the core, in the model's types.

export const token = (text: string = randomBytes(8).toString('hex')): Token => text as Token;
export const memberId = (text: string): MemberId => text as MemberId;
export const at = (ms: number): Millis => ms as Millis;
export const HOUR = 3_600_000;

export function create(to: Token, more: Partial<CreateCommand> = {}): CreateCommand {
  return { token: to, size: 3 as ClusterSize, ttl: HOUR as Ttl, allowRejoin: false, ...more };
}

export const size = (members: number): { size: ClusterSize } => ({ size: members as ClusterSize });
export const ttl = (ms: number): { ttl: Ttl } => ({ ttl: ms as Ttl });

/** Returns a registration with an id, a name and a peer URL unique to this number. */
export function node(number: number, more: Partial<RegisterCommand> = {}): RegisterCommand {
  return {
    id: memberId(`id${number}`),
    name: `infra${number}` as MemberName,
    peerUrls: urls(`http://10.0.${number >> 8}.${number & 255}:2380`),
    mode: 'CREATE',
    whenFull: 'REFUSE',
    ...more,
  };
}

export const named = (name: string): { name: MemberName } => ({ name: name as MemberName });

export const discoveryText = (text: string): { discoveryText: DiscoveryText } => ({
  discoveryText: text as DiscoveryText,
});

export function urls(...list: string[]): PeerUrl[] {
  return list as PeerUrl[];
}

export const hashOf = hashSecret;

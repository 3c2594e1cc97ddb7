import {
  RegisterMode,
  RegisterOutcome,
  type RegisterResponse,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { shown } from '../etcd/text.ts';
import { formatValue } from '../etcd/value.ts';
import { type V2Error, v2Error } from './errors.ts';
import { noSuchMember } from './read.ts';
import {
  deletedTokenReply,
  deregisterReply,
  keys,
  madeTokenReply,
  registerReply,
  type V2Reply,
} from './reply.ts';
import type { Condition, MakeTokenRequest, RegisterRequest, WriteRequest } from './request.ts';

/**
 * Changes a token's keys. Rejects with the service's error. `textOf` returns the --discovery value of a node.
 */
export function write(
  client: DiscoveryClient,
  request: WriteRequest,
  textOf: TextOf,
): Promise<V2Reply | V2Error> {
  switch (request.type) {
    case 'MAKE_TOKEN':
      return makeToken(client, request);
    case 'REGISTER':
      return register(client, request, textOf(request));
    case 'DEREGISTER':
      return deregister(client, request);
    case 'DELETE_TOKEN':
      return deleteToken(client, request);
    case 'NOT_A_FILE':
    case 'NOT_EMPTY':
      return refuseDirectory(client, request);
  }
}

export type TextOf = (request: RegisterRequest) => string | undefined;

type Of<Type extends WriteRequest['type']> = Extract<WriteRequest, { readonly type: Type }>;

async function deregister(client: DiscoveryClient, { token, id }: Of<'DEREGISTER'>): Promise<V2Reply> {
  const response = await client.deregister({ token, memberId: id });
  return deregisterReply(token, requireMessage(response.member), response);
}

async function deleteToken(client: DiscoveryClient, { token }: Of<'DELETE_TOKEN'>): Promise<V2Reply> {
  const response = await client.deleteToken({ token });
  // etcd cannot delete a missing key: fails like a read of it.
  if (!response.deleted) await client.listMembers({ token, refuseExpired: true });
  return deletedTokenReply(requireMessage(response.cluster), response);
}

async function refuseDirectory(
  client: DiscoveryClient,
  { token, type, directory }: Of<'NOT_A_FILE' | 'NOT_EMPTY'>,
): Promise<V2Error> {
  const { revision: index } = await client.listMembers({ token, refuseExpired: true });
  const key = directory === 'TOKEN' ? keys.token(token) : keys.config(token);
  return v2Error(403, type === 'NOT_A_FILE' ? 102 : 108, key, { index });
}

async function makeToken(client: DiscoveryClient, request: MakeTokenRequest): Promise<V2Reply | V2Error> {
  const { token, size, mustBeNew } = request;
  const response = await client.createToken({ token, size });
  if (mustBeNew && !response.created)
    return v2Error(412, 105, keys.size(token), { index: response.revision });
  return madeTokenReply(requireMessage(response.cluster), mustBeNew ? 'create' : 'set', response);
}

const MODES = {
  CREATE: RegisterMode.CREATE,
  UPDATE: RegisterMode.REPLACE,
  SET: RegisterMode.CREATE_OR_REPLACE,
  COMPARE: RegisterMode.REPLACE,
} as const satisfies Record<Condition['type'], RegisterMode>;

async function register(
  client: DiscoveryClient,
  request: RegisterRequest,
  discoveryText: string | undefined,
): Promise<V2Reply | V2Error> {
  const { token, id, member, condition } = request;
  const expected = condition.type === 'COMPARE' ? await compare(client, request, condition) : undefined;
  if (typeof expected === 'object') return expected;
  const response: RegisterResponse = await client.register({
    token,
    memberId: id,
    name: member.name,
    peerUrls: [...member.peerUrls],
    mode: MODES[condition.type],
    whenFull: WhenFull.STANDBY,
    ...(expected !== undefined && { expectedModRevision: expected }),
    ...(discoveryText !== undefined && { discoveryText }),
  });
  const registered = requireMessage(response.member);
  if (expected !== undefined && expected !== 0n && isUnmatched(response, expected)) {
    const cause = `[${expected} != ${registered.modRevision}]`;
    return v2Error(412, 101, cause, { index: response.revision });
  }
  return registerReply(token, registered, condition, response);
}

/**
 * Whether the member already had the requested state but at another revision: for the service that is
 * success, for etcd it is not.
 */
function isUnmatched({ outcome, member }: RegisterResponse, expected: bigint): boolean {
  return outcome === RegisterOutcome.UNCHANGED && member?.modRevision !== expected;
}

/** Returns the revision at which the member satisfies the condition. */
async function compare(
  client: DiscoveryClient,
  { token, id }: RegisterRequest,
  { prevValue, prevIndex }: Extract<Condition, { type: 'COMPARE' }>,
): Promise<bigint | V2Error> {
  if (prevValue === undefined) return prevIndex;
  const { members, standbys, revision } = await client.listMembers({ token, refuseExpired: true });
  const member = [...members, ...standbys].find((each) => each.id === id);
  if (member === undefined) return noSuchMember(token, id, revision);
  const value = formatValue(member);
  const wrong: string[] = [];
  if (value !== prevValue) wrong.push(`[${shown(prevValue, 300)} != ${shown(value, 300)}]`);
  if (prevIndex !== 0n && prevIndex !== member.modRevision) {
    wrong.push(`[${prevIndex} != ${member.modRevision}]`);
  }
  if (wrong.length > 0) return v2Error(412, 101, wrong.join(' '), { index: revision });
  return member.modRevision;
}

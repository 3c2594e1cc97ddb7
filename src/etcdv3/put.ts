import { create } from '@bufbuild/protobuf';
import {
  RegisterMode,
  RegisterOutcome,
  type RegisterResponse,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import { type PutRequest, type PutResponse, PutResponseSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { type DiscoveryClient, present } from '../etcd/client.ts';
import { type MemberValue, parseValue } from '../etcd/value.ts';
import { detailOf, invalid, outside, reasonOf, unsupported } from './errors.ts';
import { header, type Identity } from './header.ts';
import { type Key, parseKey } from './keys.ts';
import { memberEntry, sizeEntry } from './kvs.ts';

export type SizeKey = Extract<Key, { type: 'SIZE' }>;
export type MemberKey = Extract<Key, { type: 'MEMBER' }>;

/** A put that was done, or found done. */
export interface Done {
  readonly revision: bigint;
  readonly previous: KeyValue | undefined;
}

export async function put(
  client: DiscoveryClient,
  identity: Identity,
  request: PutRequest,
): Promise<PutResponse> {
  const key = parsePut(request);
  const done =
    key.type === 'SIZE'
      ? await makeToken(client, key, request)
      : await registerOrUpdate(client, key, parseMember(request));
  return putResponse(done, request, identity);
}

export function putResponse(
  { revision, previous }: Done,
  request: PutRequest,
  identity: Identity,
): PutResponse {
  const response = create(PutResponseSchema);
  response.header = header(identity, revision);
  if (request.prevKv && previous !== undefined) response.prevKv = previous;
  return response;
}

/** The key of a put, which must be one that discovery has a meaning for. */
export function parsePut(request: PutRequest): SizeKey | MemberKey {
  if (request.lease !== 0n)
    throw unsupported('a lease: members stay until they are deleted or the token expires; it');
  if (request.ignoreValue) throw unsupported('ignore_value');
  if (request.ignoreLease) throw unsupported('ignore_lease');
  const key = parseKey(request.key);
  if (key.type === 'OUTSIDE') throw outside();
  if (key.type === 'UNKNOWN') throw unsupported('a key other than _config/size and members/ID under a token');
  return key;
}

export function parseMember({ value }: PutRequest): MemberValue {
  const parsed = parseValue(Buffer.from(value).toString());
  if (typeof parsed === 'string') throw invalid(parsed);
  return parsed;
}

/** Makes the token of a size key; the same size again changes nothing. */
export async function makeToken(
  client: DiscoveryClient,
  key: SizeKey,
  { value }: PutRequest,
): Promise<Done & { readonly created: boolean }> {
  const text = Buffer.from(value).toString();
  if (!/^\d{1,9}$/.test(text)) {
    throw invalid(`the size of a cluster is a whole number of members, not '${text.slice(0, 40)}'`);
  }
  const { cluster, revision, created } = await client.createToken({ token: key.token, size: Number(text) });
  return { revision, created, previous: created ? undefined : sizeEntry(key, present(cluster)).kv };
}

/**
 * A node registers, or repeats itself; an operator changes a member. A node with the id of another member, as
 * one with the same peer URLs has it, is refused and takes nothing from that member.
 */
async function registerOrUpdate(client: DiscoveryClient, key: MemberKey, member: MemberValue): Promise<Done> {
  try {
    return doneOf(key, await register(client, key, member, RegisterMode.CREATE));
  } catch (thrown) {
    if (reasonOf(thrown) !== 'MEMBER_EXISTS') throw thrown;
    const expected = detailOf(thrown)?.member?.modRevision;
    return doneOf(key, await register(client, key, member, RegisterMode.REPLACE, expected));
  }
}

export function register(
  client: DiscoveryClient,
  { token, id }: MemberKey,
  { name, peerUrls }: MemberValue,
  mode: RegisterMode,
  expected?: bigint,
): Promise<RegisterResponse> {
  return client.register({
    token,
    memberId: id,
    name,
    peerUrls: [...peerUrls],
    mode,
    whenFull: WhenFull.STANDBY,
    ...(expected !== undefined && { expectedModRevision: expected }),
  });
}

export function doneOf(key: MemberKey, response: RegisterResponse): Done {
  const before = response.outcome === RegisterOutcome.UNCHANGED ? response.member : response.previous;
  return { revision: response.revision, previous: before && memberEntry(key, before).kv };
}

import { create } from '@bufbuild/protobuf';
import { RegisterMode, RegisterOutcome, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import { type PutRequest, type PutResponse, PutResponseSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { discoveryTokens, textOfId } from '../etcd/discovery-text.ts';
import { quoted } from '../etcd/text.ts';
import { type MemberValue, parseValue } from '../etcd/value.ts';
import { V3_LIMITS } from '../limits.ts';
import { emptyKey, invalid, outside, tooContended, unsupported } from './errors.ts';
import { header, type Identity } from './header.ts';
import { type Key, parseKey, registryName } from './keys.ts';
import { memberEntry, sizeEntry } from './kvs.ts';

export type SizeKey = Extract<Key, { type: 'SIZE' }>;
export type MemberKey = Extract<Key, { type: 'MEMBER' }>;

/** A put that was done, or found done: then both are what was there. */
export interface Done {
  readonly revision: bigint;
  readonly kv: KeyValue;
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
      : await registerOrUpdate(client, key, request);
  const response = putResponse(done, request);
  response.header = header(identity, done.revision);
  return response;
}

/** The answer, without its header. */
export function putResponse({ previous }: Done, request: PutRequest): PutResponse {
  const response = create(PutResponseSchema);
  if (request.prevKv && previous !== undefined) response.prevKv = previous;
  return response;
}

/** The key of a put, which must be one that discovery has a meaning for. */
export function parsePut(request: PutRequest): SizeKey | MemberKey {
  if (request.key.length === 0) throw emptyKey();
  const key = parseKey(request.key);
  if (key.type === 'OUTSIDE') throw outside();
  if (key.type === 'UNKNOWN') throw unsupported('a key other than _config/size and members/ID under a token');
  if (request.lease !== 0n) {
    throw unsupported('a lease', 'members stay until they are deleted or the token expires');
  }
  if (request.ignoreValue) throw unsupported('ignore_value');
  if (request.ignoreLease) throw unsupported('ignore_lease');
  return key;
}

/** Makes the token of a size key; the same size again changes nothing. */
export async function makeToken(client: DiscoveryClient, key: SizeKey, { value }: PutRequest): Promise<Done> {
  const text = Buffer.from(value).toString();
  if (!/^\d{1,9}$/.test(text)) {
    throw invalid(`the size of a cluster is a whole number of members, not ${quoted(text)}`);
  }
  const { cluster, revision, created } = await client.createToken({ token: key.token, size: Number(text) });
  const { kv } = sizeEntry(key, requireMessage(cluster));
  return { revision, kv, previous: created ? undefined : kv };
}

/**
 * A node registers, or repeats itself; an operator changes a member. A node with the id of another member, as
 * one with the same peer URLs has it, is refused and takes nothing from that member.
 */
async function registerOrUpdate(client: DiscoveryClient, key: MemberKey, request: PutRequest): Promise<Done> {
  for (let attempt = 0; attempt < V3_LIMITS.attempts; attempt++) {
    try {
      return await register(client, key, request, undefined);
    } catch (thrown) {
      if (reasonOf(thrown) !== 'MEMBER_EXISTS') throw thrown;
      const registered = refusalOf(thrown)?.member?.modRevision;
      const done = await register(client, key, request, registered).catch(requireConflict);
      if (done !== undefined) return done;
    }
  }
  throw tooContended();
}

/** Registers a member, or replaces the one that has the given mod revision. */
export async function register(
  client: DiscoveryClient,
  key: MemberKey,
  { value }: PutRequest,
  replaced: bigint | undefined,
): Promise<Done> {
  const { name, peerUrls } = parseMember(value);
  const { revision, member, previous, outcome } = await client.register({
    token: key.token,
    memberId: key.id,
    name,
    peerUrls: [...peerUrls],
    mode: replaced === undefined ? RegisterMode.CREATE : RegisterMode.REPLACE,
    whenFull: WhenFull.STANDBY,
    discoveryText: textOfId(key.id, peerUrls, discoveryTokens(registryName(key))) ?? '',
    ...(replaced !== undefined && { expectedModRevision: replaced }),
  });
  const { kv } = memberEntry(key, requireMessage(member));
  const before = previous && memberEntry(key, previous).kv;
  return { revision, kv, previous: outcome === RegisterOutcome.UNCHANGED ? kv : before };
}

function parseMember(value: Uint8Array): MemberValue {
  const parsed = parseValue(Buffer.from(value).toString());
  if (typeof parsed === 'string') throw invalid(parsed);
  return parsed;
}

/** Somebody else was there in between. */
function requireConflict(thrown: unknown): undefined {
  const reason = reasonOf(thrown);
  if (reason !== 'REVISION_MISMATCH' && reason !== 'MEMBER_NOT_FOUND') throw thrown;
}

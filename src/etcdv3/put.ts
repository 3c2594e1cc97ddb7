import { create } from '@bufbuild/protobuf';
import {
  RegisterMode,
  RegisterOutcome,
  RegisterRequestSchema,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import { type PutRequest, type PutResponse, PutResponseSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { discoveryTokens, textOfId } from '../etcd/discovery-text.ts';
import { quoted } from '../etcd/text.ts';
import { type MemberValue, parseValue } from '../etcd/value.ts';
import { V3_LIMITS } from '../limits.ts';
import { emptyKey, invalid, outside, tooContended, unsupported } from './errors.ts';
import { header, type ServerIdentity } from './header.ts';
import { type Key, parseKey, registryName } from './keys.ts';
import { memberEntry, sizeEntry } from './kvs.ts';

export type SizeKey = Extract<Key, { type: 'SIZE' }>;
export type MemberKey = Extract<Key, { type: 'MEMBER' }>;

/** Done is a completed put, or one that was unnecessary: then both are the existing key. */
export interface Done {
  readonly revision: bigint;
  readonly kv: KeyValue;
  readonly previous: KeyValue | undefined;
}

export async function put(
  client: DiscoveryClient,
  identity: ServerIdentity,
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

/** Returns the response, without its header. */
export function putResponse({ previous }: Done, request: PutRequest): PutResponse {
  const response = create(PutResponseSchema);
  if (request.prevKv && previous !== undefined) response.prevKv = previous;
  return response;
}

/** Parses the key of a put, which must have a meaning for discovery. */
export function parsePut(request: PutRequest): SizeKey | MemberKey {
  if (request.key.length === 0) throw emptyKey();
  const key = parseKey(request.key);
  if (key.type === 'OUTSIDE') throw outside();
  if (key.type === 'UNKNOWN')
    throw unsupported('writing a key other than _config/size and members/ID under a token');
  if (request.lease !== 0n) {
    throw unsupported('attaching a lease', 'members stay until they are deleted or the token expires');
  }
  if (request.ignoreValue) throw unsupported('ignore_value');
  if (request.ignoreLease) throw unsupported('ignore_lease');
  return key;
}

/** Creates the token of a size key. Repeating it with the same size changes nothing. */
export async function makeToken(client: DiscoveryClient, key: SizeKey, { value }: PutRequest): Promise<Done> {
  const text = Buffer.from(value).toString();
  if (!/^\d{1,9}$/.test(text)) {
    throw invalid(`the cluster size must be a whole number of members, not ${quoted(text)}`);
  }
  const { cluster, revision, created } = await client.createToken({ token: key.token, size: Number(text) });
  const { kv } = sizeEntry(key, requireMessage(cluster));
  return { revision, kv, previous: created ? undefined : kv };
}

/**
 * Registers a node, repeats its registration, or changes a member for an operator. A node with the ID of
 * another member, which happens with equal peer URLs, is rejected and does not change that member.
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

/** Registers a member, or replaces the one at the given mod revision. */
export async function register(
  client: DiscoveryClient,
  key: MemberKey,
  { value }: PutRequest,
  replaced: bigint | undefined,
): Promise<Done> {
  const { name, peerUrls } = parseMember(value);
  const wanted = create(RegisterRequestSchema);
  wanted.token = key.token;
  wanted.memberId = key.id;
  wanted.name = name;
  wanted.peerUrls = [...peerUrls];
  wanted.mode = replaced === undefined ? RegisterMode.CREATE : RegisterMode.REPLACE;
  wanted.whenFull = WhenFull.STANDBY;
  wanted.discoveryText = textOfId(key.id, peerUrls, discoveryTokens(registryName(key))) ?? '';
  if (replaced !== undefined) wanted.expectedModRevision = replaced;
  const { revision, member, previous, outcome } = await client.register(wanted);
  const { kv } = memberEntry(key, requireMessage(member));
  const before = previous && memberEntry(key, previous).kv;
  return { revision, kv, previous: outcome === RegisterOutcome.UNCHANGED ? kv : before };
}

function parseMember(value: Uint8Array): MemberValue {
  const parsed = parseValue(Buffer.from(value).toString());
  if (typeof parsed === 'string') throw invalid(parsed);
  return parsed;
}

/** Another write came in between. */
function requireConflict(thrown: unknown): undefined {
  const reason = reasonOf(thrown);
  if (reason !== 'REVISION_MISMATCH' && reason !== 'MEMBER_NOT_FOUND') throw thrown;
}

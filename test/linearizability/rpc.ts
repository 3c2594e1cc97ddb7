import { create as message } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { ClusterState, type Member } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  DiscoveryService,
  RegisterMode,
  RegisterOutcome,
  RegisterRequestSchema,
  type RegisterResponse,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { reasonOf } from '../../src/client/refusal.ts';
import { wasNeverSent } from '../../src/client/transient.ts';
import { type Call, type CallOutcome, peerUrlOf, type Register, type SeenMember } from './history.ts';

const CALL_LIMIT_MS = 5000;
const TTL_MS = 3_600_000;

/** Calls the API in Connect's protocol over HTTP/1.1, without the retries of our own client: every try is recorded. */
export async function rpc(url: string, token: string, call: Call): Promise<CallOutcome> {
  try {
    return await make(clientOf(url), token, call);
  } catch (thrown) {
    return outcomeOfError(thrown);
  }
}

const clients = new Map<string, DiscoveryClient>();

function clientOf(baseUrl: string): DiscoveryClient {
  const known = clients.get(baseUrl);
  if (known !== undefined) return known;
  const client = createClient(DiscoveryService, createConnectTransport({ baseUrl, httpVersion: '1.1' }));
  clients.set(baseUrl, client);
  return client;
}

async function make(client: DiscoveryClient, token: string, call: Call): Promise<CallOutcome> {
  const options = { timeoutMs: CALL_LIMIT_MS };
  switch (call.kind) {
    case 'create': {
      const { revision, created } = await client.createToken({ token, size: call.size }, options);
      return { ...ok(revision), did: created ? 'CREATED' : 'UNCHANGED' };
    }
    case 'register':
      return registered(await client.register(requestOf(token, call), options));
    case 'deregister':
      return ok((await client.deregister({ token, memberId: call.id }, options)).revision);
    case 'delete':
      return ok((await client.deleteToken({ token }, options)).revision);
    case 'reopen':
      return ok((await client.reopenToken({ token, ttl: durationFromMs(TTL_MS) }, options)).revision);
    case 'get': {
      const { cluster, revision } = await client.getCluster({ token }, options);
      const { size = 0, memberCount = 0, standbyCount = 0, state } = cluster ?? {};
      const deleted = state === ClusterState.DELETED;
      return { ...ok(revision), size, count: memberCount + standbyCount, deleted };
    }
    case 'size': {
      const { cluster, revision } = await client.listMembers({ token }, options);
      return { ...ok(revision), size: cluster?.size ?? 0 };
    }
    case 'list': {
      const { members, standbys, revision } = await client.listMembers({ token }, options);
      return { ...ok(revision), members: [...members, ...standbys].map(seen) };
    }
  }
}

const MODES = {
  CREATE: RegisterMode.CREATE,
  REPLACE: RegisterMode.REPLACE,
  SET: RegisterMode.CREATE_OR_REPLACE,
} as const;

function requestOf(
  token: string,
  { id, name, mode, standby }: Register,
): Parameters<DiscoveryClient['register']>[0] {
  return message(RegisterRequestSchema, {
    token,
    memberId: id,
    name,
    peerUrls: [peerUrlOf(name)],
    mode: MODES[mode],
    whenFull: standby ? WhenFull.STANDBY : WhenFull.REFUSE,
  });
}

const DID: Readonly<Record<number, 'CREATED' | 'REPLACED' | 'UNCHANGED' | undefined>> = {
  [RegisterOutcome.UNSPECIFIED]: undefined,
  [RegisterOutcome.CREATED]: 'CREATED',
  [RegisterOutcome.REPLACED]: 'REPLACED',
  [RegisterOutcome.UNCHANGED]: 'UNCHANGED',
};

function registered({ member, outcome, revision }: RegisterResponse): CallOutcome {
  return {
    ...ok(revision),
    did: DID[outcome],
    created: Number(member?.createRevision),
    modified: Number(member?.modRevision),
  };
}

function seen({ id, name, createRevision, modRevision }: Member): SeenMember {
  return { id, name, created: Number(createRevision), modified: Number(modRevision) };
}

export function ok(revision: bigint | number): { readonly status: 'OK'; readonly revision: number } {
  return { status: 'OK', revision: Number(revision) };
}

/** Returns the outcome of an error, which has the API's reasons over gRPC too. */
export function outcomeOfError(thrown: unknown): CallOutcome {
  const reason = reasonOf(thrown);
  if (reason !== undefined) return outcomeFor([reason]);
  return { status: wasNeverSent(ConnectError.from(thrown)) ? 'UNSENT' : 'UNKNOWN' };
}

/** After these errors, the call may or may not have taken effect. */
const OPEN = new Set(['STORE_UNAVAILABLE', 'SHUTTING_DOWN', 'INTERNAL']);

export function outcomeFor(reasons: readonly string[]): CallOutcome {
  if (reasons.includes('TOO_MANY_REQUESTS')) return { status: 'UNSENT' };
  if (reasons.length === 0 || reasons.some((each) => OPEN.has(each))) return { status: 'UNKNOWN' };
  return { status: 'REFUSED', reasons };
}

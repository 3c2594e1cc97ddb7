import { toBinary } from '@bufbuild/protobuf';
import {
  GetClusterResponseSchema,
  ListMembersResponseSchema,
  RegisterResponseSchema,
} from '../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../src/client/node.ts';
import { memberOf } from './load/registrations.ts';
import type { Messages } from './servers/bare-connect.ts';
import type { Reply } from './servers/bare-node.ts';

/** Clusters that the reads are made of. */
export interface Fixture {
  readonly tokenOf3: string;
  readonly tokenOf100: string;
}

export async function makeFixture(port: number): Promise<Fixture> {
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  return { tokenOf3: await makeCluster(client, 3), tokenOf100: await makeCluster(client, 100) };
}

async function makeCluster(client: DiscoveryClient, size: number): Promise<string> {
  const token = await makeToken(client, size);
  for (let member = 0; member < size; member += 1) await register(client, token, member);
  return token;
}

async function makeToken(client: DiscoveryClient, size: number): Promise<string> {
  return (await client.createToken({ size })).cluster?.token ?? '';
}

function register(client: DiscoveryClient, token: string, member: number) {
  const { id, name, peerUrl } = memberOf(member);
  return client.register({ token, memberId: id, name, peerUrls: [peerUrl] });
}

/** What the service answers to the RPCs, for the baseline to answer the same. */
export async function sampleMessages(port: number, { tokenOf3 }: Fixture): Promise<Messages> {
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  return {
    getCluster: toBinary(GetClusterResponseSchema, await client.getCluster({ token: tokenOf3 })),
    listMembers: toBinary(ListMembersResponseSchema, await client.listMembers({ token: tokenOf3 })),
    register: toBinary(RegisterResponseSchema, await register(client, await makeToken(client, 3), 0)),
  };
}

/** What the service answers to a registration in the v2 dialect. */
export async function sampleRegistration(port: number): Promise<Reply> {
  const token = await makeToken(createDiscoveryClient(`http://127.0.0.1:${port}`), 3);
  const { id, name, peerUrl } = memberOf(0);
  const body = new URLSearchParams({ value: `${name}=${peerUrl}` });
  return sampleReply(port, `/${token}/${id}?prevExist=false`, { method: 'PUT', body });
}

// Node's server sets these by itself, the way it frames the body.
const OF_THE_SERVER = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding']);

/** What the service answers on a path, for the baseline to answer the same. */
export async function sampleReply(port: number, path: string, init?: RequestInit): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const body = await response.text();
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${body}`);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !OF_THE_SERVER.has(name)));
  return { status: response.status, headers, body };
}

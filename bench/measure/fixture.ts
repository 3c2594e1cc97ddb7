import { toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  GetClusterResponseSchema,
  ListMembersResponseSchema,
  RegisterResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { KV, PutResponseSchema, RangeResponseSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { memberOf, memberPut } from '../load/registrations.ts';
import type { Messages } from '../servers/bare-connect.ts';
import type { RecordedReply } from '../servers/bare-node.ts';
import { membersRange, ORIGIN, REGISTRY, rpcPath, sizeRange } from '../support/requests.ts';

/** Clusters for the reads. */
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

/** Copies the clusters to a service that uses an etcd with v2 keys. */
export async function copyFixture(fixture: Fixture, port: number, etcdPort: number): Promise<void> {
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  for (const token of Object.values(fixture) as string[]) {
    const { cluster, members } = await client.listMembers({ token });
    await putKey(etcdPort, `${token}/_config/size`, String(cluster?.size));
    for (const { id, name, peerUrls } of members) {
      await putKey(etcdPort, `${token}/${id}`, peerUrls.map((url) => `${name}=${url}`).join());
    }
  }
}

/** Copies the clusters to a plain etcd, like a user who sets up v3 discovery by hand. */
export async function copyFixtureToEtcd(fixture: Fixture, port: number, etcdPort: number): Promise<void> {
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  const kv = createClient(KV, createGrpcTransport({ baseUrl: `http://127.0.0.1:${etcdPort}` }));
  for (const token of Object.values(fixture) as string[]) {
    const { cluster, members } = await client.listMembers({ token });
    await kv.put({ key: sizeRange(token).key, value: Buffer.from(String(cluster?.size)) });
    for (const { id, name, peerUrls } of members) {
      const value = Buffer.from(peerUrls.map((url) => `${name}=${url}`).join());
      await kv.put({ key: Buffer.from(`${REGISTRY}/${token}/members/${id}`), value });
    }
  }
}

export async function putKey(etcdPort: number, key: string, value: string): Promise<void> {
  const url = `http://127.0.0.1:${etcdPort}/v2/keys/_etcd/registry/${key}`;
  const response = await fetch(url, { method: 'PUT', body: new URLSearchParams({ value }) });
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`);
}

async function makeToken(client: DiscoveryClient, size: number): Promise<string> {
  return (await client.createToken({ size })).cluster?.token ?? '';
}

function register(client: DiscoveryClient, token: string, member: number) {
  const { id, name, peerUrl } = memberOf(member, token);
  return client.register({ token, memberId: id, name, peerUrls: [peerUrl] });
}

/** Returns the service's messages for the RPCs, for the baseline to return the same. */
export async function sampleMessages(port: number, { tokenOf3 }: Fixture): Promise<Messages> {
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  const kv = createClient(KV, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  return {
    getCluster: toBinary(GetClusterResponseSchema, await client.getCluster({ token: tokenOf3 })),
    listMembers: toBinary(ListMembersResponseSchema, await client.listMembers({ token: tokenOf3 })),
    register: toBinary(RegisterResponseSchema, await register(client, await makeToken(client, 3), 0)),
    rangeSize: toBinary(RangeResponseSchema, await kv.range(sizeRange(tokenOf3))),
    rangeMembers: toBinary(RangeResponseSchema, await kv.range(membersRange(tokenOf3))),
    put: toBinary(PutResponseSchema, await kv.put(memberPut(await makeToken(client, 3), 0))),
  };
}

/** Returns the service's response to a registration in the v2 dialect. */
export async function sampleRegistration(port: number): Promise<RecordedReply> {
  const token = await makeToken(createDiscoveryClient(`http://127.0.0.1:${port}`), 3);
  const { id, name, peerUrl } = memberOf(0, `${ORIGIN}/${token}`);
  const body = new URLSearchParams({ value: `${name}=${peerUrl}` });
  return sampleReply(port, `/${token}/${id}?prevExist=false`, { method: 'PUT', body });
}

/** Returns the service's response to a call in Connect's JSON. */
export function sampleCall(port: number, method: string, json: string): Promise<RecordedReply> {
  const headers = { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' };
  return sampleReply(port, rpcPath(method), { method: 'POST', headers, body: json });
}

// Node.js's server sets these itself, depending on how it frames the body.
const OF_THE_SERVER = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding']);

/** Returns the service's response on a path, for the baseline to return the same. */
export async function sampleReply(port: number, path: string, init?: RequestInit): Promise<RecordedReply> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const body = await response.text();
  if (!response.ok) throw new Error(`${path} returned ${response.status}: ${body}`);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !OF_THE_SERVER.has(name)));
  return { status: response.status, headers, body };
}

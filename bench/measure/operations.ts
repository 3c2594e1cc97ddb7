import { create, toBinary } from '@bufbuild/protobuf';
import { GetClusterRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { type RangeRequest, RangeRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Messages } from '../servers/bare-connect.ts';
import type { RecordedReply } from '../servers/bare-node.ts';
import {
  connectJson,
  get,
  grpcFrame,
  membersRange,
  postNothing,
  rpcPath,
  sizeRange,
} from '../support/requests.ts';
import { type Fixture, sampleCall, sampleRegistration, sampleReply } from './fixture.ts';
import type { WantedRequests } from './slot.ts';

export const OPERATIONS = [
  'v2 size',
  'v2 list of 3',
  'v2 list of 100',
  '/new',
  'v2 register, 3 a token',
  'v2 register, 1000 a token',
  'Connect JSON GetCluster',
  'Connect JSON Register',
  'gRPC GetCluster',
  'gRPC Register',
  'v3 Range of the size',
  'v3 Range of 3 members',
  'v3 Put, 3 a token',
] as const;

export type OperationName = (typeof OPERATIONS)[number];

/** One row of the table for each number of calls in flight. */
export interface Operation {
  readonly name: OperationName;
  readonly requests: WantedRequests;
  /** The gRPC method. Unset: HTTP/1.1. */
  readonly grpcPath?: string;
  /** The response of bare Node.js to an HTTP/1.1 call. */
  readonly reply?: RecordedReply;
  /** The response of bare node:http2 to a gRPC call, framed. */
  readonly answer?: Uint8Array;
}

const QUERY = 'quorum=false&recursive=false&sorted=false';
/** A typical cluster, and the largest that the service creates tokens for. */
const FEW_MEMBERS = 3;
const MANY_MEMBERS = 1000;

export async function operations(
  port: number,
  fixture: Fixture,
  messages: Messages,
): Promise<readonly Operation[]> {
  return [
    ...(await v2Operations(port, fixture)),
    ...(await rpcOperations(port, fixture, messages)),
    ...v3Operations(fixture, messages),
  ];
}

async function v2Operations(port: number, { tokenOf3, tokenOf100 }: Fixture): Promise<readonly Operation[]> {
  const read = async (name: OperationName, path: string): Promise<Operation> => ({
    name,
    requests: { repeat: get(path) },
    reply: await sampleReply(port, path),
  });
  const registered = await sampleRegistration(port);
  const register = (perToken: 3 | 1000): Operation => ({
    name: `v2 register, ${perToken} a token`,
    requests: { dialect: 'v2', perToken },
    reply: registered,
  });
  return [
    await read('v2 size', `/${tokenOf3}/_config/size?${QUERY}`),
    await read('v2 list of 3', `/${tokenOf3}?${QUERY}`),
    await read('v2 list of 100', `/${tokenOf100}?${QUERY}`),
    {
      name: '/new',
      requests: { repeat: postNothing('/new?size=3') },
      reply: await sampleReply(port, '/new?size=3'),
    },
    register(FEW_MEMBERS),
    register(MANY_MEMBERS),
  ];
}

/** Reads and writes of the API: against connect-node with its cheapest protocol, and without it. */
async function rpcOperations(
  port: number,
  { tokenOf3 }: Fixture,
  messages: Messages,
): Promise<readonly Operation[]> {
  const json = JSON.stringify({ token: tokenOf3 });
  const getCluster = toBinary(GetClusterRequestSchema, create(GetClusterRequestSchema, { token: tokenOf3 }));
  const perToken = FEW_MEMBERS;
  return [
    {
      name: 'Connect JSON GetCluster',
      requests: { repeat: connectJson('GetCluster', json) },
      reply: await sampleCall(port, 'GetCluster', json),
    },
    { name: 'Connect JSON Register', requests: { dialect: 'connectJson', perToken } },
    {
      name: 'gRPC GetCluster',
      grpcPath: rpcPath('GetCluster'),
      requests: { repeat: grpcFrame(getCluster) },
      answer: grpcFrame(messages.getCluster),
    },
    {
      name: 'gRPC Register',
      grpcPath: rpcPath('Register'),
      requests: { dialect: 'grpc', perToken },
      answer: grpcFrame(messages.register),
    },
  ];
}

/** The requests of a node of etcd 3.6 or 3.7. */
function v3Operations({ tokenOf3 }: Fixture, messages: Messages): readonly Operation[] {
  const range = (name: OperationName, request: RangeRequest, answer: Uint8Array): Operation => ({
    name,
    grpcPath: '/etcdserverpb.KV/Range',
    requests: { repeat: grpcFrame(toBinary(RangeRequestSchema, request)) },
    answer: grpcFrame(answer),
  });
  return [
    range('v3 Range of the size', sizeRange(tokenOf3), messages.rangeSize),
    range('v3 Range of 3 members', membersRange(tokenOf3), messages.rangeMembers),
    {
      name: 'v3 Put, 3 a token',
      grpcPath: '/etcdserverpb.KV/Put',
      requests: { dialect: 'v3', perToken: FEW_MEMBERS },
      answer: grpcFrame(messages.put),
    },
  ];
}

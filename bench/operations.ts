import { create, toBinary } from '@bufbuild/protobuf';
import { GetClusterRequestSchema, ListMembersRequestSchema } from '../gen/discovery/v1/service_pb.ts';
import { type RangeRequest, RangeRequestSchema } from '../gen/etcd/etcdserverpb/rpc_pb.ts';
import { type Fixture, sampleRegistration, sampleReply } from './fixture.ts';
import type { Repeat } from './load/main.ts';
import { memberOf, type RegistrationPlan } from './load/registrations.ts';
import {
  connectJson,
  get,
  grpcFrame,
  grpcWeb,
  membersRange,
  putForm,
  rpcPath,
  sizeRange,
} from './requests.ts';
import type { Reply } from './servers/bare-node.ts';

/** One row of the table for each number of calls in flight. */
export interface Operation {
  readonly name: string;
  readonly requests: Repeat | Omit<RegistrationPlan, 'count'>;
  /** The gRPC method; HTTP/1.1 when there is none. */
  readonly grpcPath?: string;
  /** What bare Node answers; without it the baseline is bare connect-node. */
  readonly reply?: Reply;
  /** Whether the service in Go answers it too. */
  readonly goHasIt?: boolean;
}

const QUERY = 'quorum=false&recursive=false&sorted=false';
/** A usual cluster, and the largest that the service makes tokens for. */
const FEW_MEMBERS = 3;
const MANY_MEMBERS = 1000;

export async function operations(port: number, fixture: Fixture): Promise<readonly Operation[]> {
  const { tokenOf3, tokenOf100, tokenOf2 } = fixture;
  const read = async (name: string, path: string): Promise<Operation> => ({
    name,
    requests: { repeat: get(path) },
    reply: await sampleReply(port, path),
    goHasIt: true,
  });
  const registered = await sampleRegistration(port);
  const getCluster = create(GetClusterRequestSchema, { token: tokenOf3 });
  const listMembers = create(ListMembersRequestSchema, { token: tokenOf3 });
  const json = JSON.stringify({ token: tokenOf3 });
  const { id, name, peerUrl } = memberOf(0);
  const retried = new URLSearchParams({ value: `${name}=${peerUrl}` });
  return [
    await read('v2 size', `/${tokenOf3}/_config/size?${QUERY}`),
    await read('v2 list of 3', `/${tokenOf3}?${QUERY}`),
    await read('v2 list of 100', `/${tokenOf100}?${QUERY}`),
    await read('/new', '/new?size=3'),
    {
      name: 'v2 register, 3 a token',
      requests: { dialect: 'v2', perToken: FEW_MEMBERS },
      reply: registered,
      goHasIt: true,
    },
    {
      name: 'v2 register, 1000 a token',
      requests: { dialect: 'v2', perToken: MANY_MEMBERS },
      reply: registered,
      goHasIt: true,
    },
    {
      name: 'v2 register again',
      requests: { repeat: putForm(`/${tokenOf2}/${id}?prevExist=false`, retried.toString()) },
      reply: await sampleReply(port, `/${tokenOf2}/${id}?prevExist=false`, { method: 'PUT', body: retried }),
      // The service in Go refuses it, as etcd does.
    },
    { name: 'Connect JSON GetCluster', requests: { repeat: connectJson('GetCluster', json) } },
    { name: 'Connect JSON ListMembers of 3', requests: { repeat: connectJson('ListMembers', json) } },
    { name: 'Connect JSON Register', requests: { dialect: 'connect', perToken: FEW_MEMBERS } },
    {
      name: 'gRPC-Web GetCluster',
      requests: { repeat: grpcWeb('GetCluster', toBinary(GetClusterRequestSchema, getCluster)) },
    },
    {
      name: 'gRPC GetCluster',
      grpcPath: rpcPath('GetCluster'),
      requests: { repeat: grpcFrame(toBinary(GetClusterRequestSchema, getCluster)) },
    },
    {
      name: 'gRPC ListMembers of 3',
      grpcPath: rpcPath('ListMembers'),
      requests: { repeat: grpcFrame(toBinary(ListMembersRequestSchema, listMembers)) },
    },
    {
      name: 'gRPC Register',
      grpcPath: rpcPath('Register'),
      requests: { dialect: 'grpc', perToken: FEW_MEMBERS },
    },
    v3Range('v3 Range of the size', sizeRange(tokenOf3)),
    v3Range('v3 Range of 3 members', membersRange(tokenOf3)),
    {
      name: 'v3 Put, 3 a token',
      grpcPath: '/etcdserverpb.KV/Put',
      requests: { dialect: 'v3', perToken: FEW_MEMBERS },
    },
  ];
}

function v3Range(name: string, request: RangeRequest): Operation {
  return {
    name,
    grpcPath: '/etcdserverpb.KV/Range',
    requests: { repeat: grpcFrame(toBinary(RangeRequestSchema, request)) },
  };
}

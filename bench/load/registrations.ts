// Tokens and registrations of them, each distinct, as ready request bytes.

import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { RegisterRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { type PutRequest, PutRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { issueToken } from '../../src/discovery/issue-token.ts';
import { connectJson, grpcFrame, putForm, REGISTRY } from '../support/requests.ts';

export interface RegistrationPlan {
  readonly dialect: 'v2' | 'v3' | 'connectJson' | 'grpc';
  /** Members registered under one token, which is also its size. */
  readonly perToken: number;
  readonly count: number;
}

export interface Registrations {
  /** Each makes one token. */
  readonly makeTokens: readonly Uint8Array[];
  /** The registrations, token after token when a token has many, else in rounds over the tokens. */
  readonly register: readonly Uint8Array[];
}

// Few enough members that calls at once are for different tokens, as etcd's clusters are.
const SMALL_CLUSTER = 9;

export function registrations({ dialect, perToken, count }: RegistrationPlan): Registrations {
  const tokens = Array.from({ length: Math.ceil(count / perToken) }, issueToken);
  const all = tokens.flatMap((token, index) =>
    Array.from({ length: perToken }, (_, member) => ({ token, index, member })),
  );
  if (perToken <= SMALL_CLUSTER) all.sort((a, b) => a.member - b.member || a.index - b.index);
  return {
    makeTokens: tokens.map((token) =>
      putForm(`/v2/keys/_etcd/registry/${token}/_config/size`, `value=${perToken}`),
    ),
    register: all.slice(0, count).map(({ token, member }) => registration(dialect, token, member)),
  };
}

function registration(dialect: RegistrationPlan['dialect'], token: string, member: number): Uint8Array {
  const { id, name, peerUrl } = memberOf(member);
  if (dialect === 'v2') {
    return putForm(`/${token}/${id}?prevExist=false`, `value=${encodeURIComponent(`${name}=${peerUrl}`)}`);
  }
  if (dialect === 'v3') return grpcFrame(toBinary(PutRequestSchema, memberPut(token, member)));
  const request = create(RegisterRequestSchema, { token, memberId: id, name, peerUrls: [peerUrl] });
  if (dialect === 'connectJson') return connectJson('Register', toJsonString(RegisterRequestSchema, request));
  return grpcFrame(toBinary(RegisterRequestSchema, request));
}

/** How a node of etcd 3.6 or 3.7 registers. */
export function memberPut(token: string, member: number): PutRequest {
  const { id, name, peerUrl } = memberOf(member);
  return create(PutRequestSchema, {
    key: Buffer.from(`${REGISTRY}/${token}/members/${id}`),
    value: Buffer.from(`${name}=${peerUrl}`),
  });
}

/** The member with that number: an id as etcd makes them, and the rest as in its documentation. */
export function memberOf(number: number): { id: string; name: string; peerUrl: string } {
  const id = (0xa0a0a0a000000000n + BigInt(number)).toString(16);
  return { id, name: `infra${number}`, peerUrl: `http://10.0.${number >> 8}.${number & 255}:2380` };
}

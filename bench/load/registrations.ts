// Tokens and their registrations, each distinct, as request bytes.

import { hash } from 'node:crypto';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { RegisterRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { type PutRequest, PutRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { issueToken } from '../../src/discovery/issue-token.ts';
import { connectJson, grpcFrame, ORIGIN, putForm, REGISTRY } from '../support/requests.ts';

export interface RegistrationPlan {
  readonly dialect: 'v2' | 'v3' | 'connectJson' | 'grpc';
  /** Members to register per token, which is also its size. */
  readonly perToken: number;
  readonly count: number;
}

export interface Registrations {
  /** Requests that create one token each. */
  readonly makeTokens: readonly Uint8Array[];
  /** The registrations: token after token if a token has many, otherwise in rounds over the tokens. */
  readonly register: readonly Uint8Array[];
}

// Few enough members that concurrent calls are for different tokens, like those of real clusters.
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
  if (dialect === 'v2') {
    const { id, name, peerUrl } = memberOf(member, `${ORIGIN}/${token}`);
    return putForm(`/${token}/${id}?prevExist=false`, `value=${encodeURIComponent(`${name}=${peerUrl}`)}`);
  }
  const { id, name, peerUrl } = memberOf(member, token);
  if (dialect === 'v3') return grpcFrame(toBinary(PutRequestSchema, memberPut(token, member)));
  const request = create(RegisterRequestSchema, { token, memberId: id, name, peerUrls: [peerUrl] });
  if (dialect === 'connectJson') return connectJson('Register', toJsonString(RegisterRequestSchema, request));
  return grpcFrame(toBinary(RegisterRequestSchema, request));
}

/** Returns the registration of a node of etcd 3.6 or 3.7. */
export function memberPut(token: string, member: number): PutRequest {
  const { id, name, peerUrl } = memberOf(member, token);
  return create(PutRequestSchema, {
    key: Buffer.from(`${REGISTRY}/${token}/members/${id}`),
    value: Buffer.from(`${name}=${peerUrl}`),
  });
}

/**
 * Returns the member with this number: named like in etcd's documentation, with the id that etcd derives from its
 * peer URL and the text of --discovery or --discovery-token, which the service checks.
 */
export function memberOf(number: number, text: string): { id: string; name: string; peerUrl: string } {
  const peerUrl = `http://10.0.${number >> 8}.${number & 255}:2380`;
  const id = hash('sha1', `${peerUrl}${text}`).slice(0, 16).replace(/^0+/, '');
  return { id, name: `infra${number}`, peerUrl };
}

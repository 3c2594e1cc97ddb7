// Requests as bytes on the wire.

import { create } from '@bufbuild/protobuf';
import { type RangeRequest, RangeRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';

const HOST = 'host: 127.0.0.1\r\n';
/** The start of nodes' --discovery, before the token. */
export const ORIGIN = 'http://127.0.0.1';
/** Headers that etcd 3.5 sends. */
const ETCD = `${HOST}user-agent: Go-http-client/1.1\r\naccept-encoding: gzip\r\n`;
export const REGISTRY = '/_etcd/registry';
const RPC_PATH = '/discovery.v1.DiscoveryService';

export function get(path: string): Uint8Array {
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${ETCD}\r\n`);
}

export function putForm(path: string, form: string): Uint8Array {
  const length = `content-length: ${Buffer.byteLength(form)}\r\n`;
  const type = 'content-type: application/x-www-form-urlencoded\r\n';
  return Buffer.from(`PUT ${path} HTTP/1.1\r\n${ETCD}${length}${type}\r\n${form}`);
}

/** Returns a POST without a body, as some clients use to create tokens. */
export function postNothing(path: string): Uint8Array {
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${ETCD}content-length: 0\r\n\r\n`);
}

export function connectJson(method: string, json: string): Uint8Array {
  const head = `POST ${rpcPath(method)} HTTP/1.1\r\n${HOST}content-length: ${Buffer.byteLength(json)}\r\n`;
  return Buffer.from(`${head}content-type: application/json\r\nconnect-protocol-version: 1\r\n\r\n${json}`);
}

/** Frames a message for gRPC: uncompressed, with its length in four bytes. */
export function grpcFrame(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** The two reads in a bootstrap of etcd 3.6 and 3.7. */
export function sizeRange(token: string): RangeRequest {
  return create(RangeRequestSchema, { key: Buffer.from(`${REGISTRY}/${token}/_config/size`) });
}

export function membersRange(token: string): RangeRequest {
  const prefix = `${REGISTRY}/${token}/member`;
  return create(RangeRequestSchema, { key: Buffer.from(`${prefix}s`), rangeEnd: Buffer.from(`${prefix}t`) });
}

export function rpcPath(method: string): string {
  return `${RPC_PATH}/${method}`;
}

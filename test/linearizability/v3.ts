import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { KV } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { type Call, type CallOutcome, peerUrlOf, type SeenMember } from './history.ts';
import { ok, outcomeOfError } from './rpc.ts';
import { byRank } from './v2.ts';

const CALL_LIMIT_MS = 5000;

/** Calls etcd's v3 dialect over gRPC, as etcdctl and a node with --discovery-token do. */
export async function v3(url: string, token: string, call: Call): Promise<CallOutcome> {
  try {
    return await make(clientOf(url), `/_etcd/registry/${token}`, call);
  } catch (thrown) {
    return outcomeOfError(thrown);
  }
}

const clients = new Map<string, Client<typeof KV>>();

function clientOf(baseUrl: string): Client<typeof KV> {
  const known = clients.get(baseUrl);
  if (known !== undefined) return known;
  const client = createClient(KV, createGrpcTransport({ baseUrl }));
  clients.set(baseUrl, client);
  return client;
}

async function make(client: Client<typeof KV>, root: string, call: Call): Promise<CallOutcome> {
  const options = { timeoutMs: CALL_LIMIT_MS };
  switch (call.kind) {
    case 'create': {
      const [key, value] = [bytes(`${root}/_config/size`), bytes(String(call.size))];
      return ok((await client.put({ key, value }, options)).header?.revision ?? 0n);
    }
    case 'register': {
      const [key, value] = [
        bytes(`${root}/members/${call.id}`),
        bytes(`${call.name}=${peerUrlOf(call.name)}`),
      ];
      return ok((await client.put({ key, value }, options)).header?.revision ?? 0n);
    }
    case 'deregister': {
      const { deleted, header } = await client.deleteRange(
        { key: bytes(`${root}/members/${call.id}`) },
        options,
      );
      return deleted === 0n ? { status: 'ABSENT' } : ok(header?.revision ?? 0n);
    }
    case 'size': {
      const { kvs, header } = await client.range({ key: bytes(`${root}/_config/size`) }, options);
      const [kv] = kvs;
      return kv === undefined
        ? { status: 'ABSENT' }
        : { ...ok(header?.revision ?? 0n), size: Number(text(kv.value)) };
    }
    case 'list': {
      // The whole token, to distinguish a token without members from a missing one.
      const { kvs, header } = await client.range(
        { key: bytes(`${root}/`), rangeEnd: bytes(`${root}0`) },
        options,
      );
      if (kvs.length === 0) return { status: 'ABSENT' };
      const members = kvs.filter(({ key }) => text(key).startsWith(`${root}/members/`)).map(seen);
      return { ...ok(header?.revision ?? 0n), members: members.sort(byRank) };
    }
    default:
      throw new TypeError(`the v3 dialect has no ${call.kind}`);
  }
}

function seen({ key, value, createRevision, modRevision }: KeyValue): SeenMember {
  const [id = '', name = ''] = [text(key).split('/').at(-1), text(value).split('=')[0]];
  return { id, name, created: Number(createRevision), modified: Number(modRevision) };
}

const bytes = (of: string): Uint8Array => Buffer.from(of);
const text = (of: Uint8Array): string => Buffer.from(of).toString();

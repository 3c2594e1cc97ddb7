import { create } from '@bufbuild/protobuf';
import {
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  DeleteRangeResponseSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import { outside, reasonOf, unsupported } from './errors.ts';
import { header, type Identity } from './header.ts';
import { parseKey, parseSpan, type Span, wholeOf } from './keys.ts';
import type { Entry } from './kvs.ts';
import { read } from './range.ts';

/** Takes out a member or all of them, or deletes a token. What is not there is not deleted, and no error. */
export async function deleteRange(
  client: DiscoveryClient,
  identity: Identity,
  request: DeleteRangeRequest,
): Promise<DeleteRangeResponse> {
  const span = parseSpan(request.key, request.rangeEnd);
  if (span === undefined) throw outside();
  const { entries, revision } = await read(client, span);
  const removed = await remove(client, request, span, entries);
  const response = create(DeleteRangeResponseSchema);
  response.header = header(identity, removed.revision ?? revision);
  response.deleted = BigInt(removed.entries.length);
  if (request.prevKv) response.prevKvs = removed.entries.map(({ kv }) => kv);
  return response;
}

interface Removed {
  readonly entries: readonly Entry[];
  /** Undefined when nothing was deleted. */
  readonly revision?: bigint;
}

async function remove(
  client: DiscoveryClient,
  request: DeleteRangeRequest,
  span: Span,
  entries: readonly Entry[],
): Promise<Removed> {
  if (request.rangeEnd.length === 0) {
    const key = parseKey(request.key);
    if (key.type === 'MEMBER') return deregister(client, span.token, entries);
    if (key.type === 'SIZE')
      throw unsupported('deleting the size key alone: delete everything under the token; it');
    return { entries: [] };
  }
  switch (wholeOf(span)) {
    case 'MEMBERS':
      return deregister(client, span.token, entries);
    case 'TOKEN': {
      if (entries.length === 0) return { entries };
      const { revision } = await client.deleteToken({ token: span.token });
      return { entries, revision };
    }
    case undefined:
      throw unsupported('deleting a range other than all members or everything of one token');
  }
}

/** One after the other, each at a revision of its own: whoever left meanwhile is left out. */
async function deregister(
  client: DiscoveryClient,
  token: string,
  entries: readonly Entry[],
): Promise<Removed> {
  const gone: Entry[] = [];
  let last: bigint | undefined;
  for (const entry of entries) {
    const key = parseKey(entry.kv.key);
    if (key.type !== 'MEMBER') continue;
    try {
      const { revision } = await client.deregister({ token, memberId: key.id });
      last = revision;
      gone.push(entry);
    } catch (thrown) {
      if (reasonOf(thrown) !== 'MEMBER_NOT_FOUND') throw thrown;
    }
  }
  return last === undefined ? { entries: gone } : { entries: gone, revision: last };
}

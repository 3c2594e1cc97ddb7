import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { ByteCache } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { bodyOf, directoryNode, JSON_TYPE, keys, memberNode, type Reply, unchanged } from './reply.ts';

/** What keeping a list of one member more takes, beside its text: the list is kept for it. */
const ENTRY_BYTES = 16;

/** Members from which a list is kept as bytes: Node.js sends a short text in one piece with the head. */
const LARGE = 50;

// Of a list every answer is the same until its cluster is another, in which it has another list. Each order has half.
const lists = new ByteCache<Reply['body']>(WORK_LIMITS.renderedBytes / 2);
const sortedLists = new ByteCache<Reply['body']>(WORK_LIMITS.renderedBytes / 2);

/**
 * Members and standbys alike, by rank or sorted by key: a node works out its own rank. `onMade` is told of how many when
 * the list was made for this answer.
 */
export function listReply(
  token: string,
  sorted: boolean,
  list: ListMembersResponse,
  onMade: (members: number) => void = () => {},
): Reply {
  const known = sorted ? sortedLists : lists;
  let body = known.get(list.members);
  if (body === undefined) {
    const members = [...list.members, ...list.standbys];
    if (sorted) members.sort((a, b) => (a.id < b.id ? -1 : 1));
    const nodes = members.map((member) => memberNode(token, member));
    const created = list.cluster?.createRevision ?? 0n;
    const node = directoryNode(keys.token(token), nodes, unchanged(created));
    const text = bodyOf('get', node);
    body = members.length < LARGE ? text : Buffer.from(text);
    known.set(list.members, { value: body, bytes: body.length + ENTRY_BYTES * members.length });
    onMade(members.length);
  }
  return { status: 200, contentType: JSON_TYPE, index: list.revision, body };
}

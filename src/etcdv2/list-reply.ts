import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { ByteCache } from '../byte-cache.ts';
import { WORK_LIMITS } from '../limits.ts';
import { bodyOf, directoryNode, JSON_TYPE, keys, memberNode, unchanged, type V2Reply } from './reply.ts';

/** Bytes per member that a cached list takes besides its text. */
const ENTRY_BYTES = 16;

/**
 * From this many members a list is cached as bytes. Node.js sends a shorter text in one piece with the head.
 */
const LARGE = 50;

// The response stays the same until the cluster changes, which then has a new list. Each of the two orders
// gets half.
const lists = new ByteCache<V2Reply['body']>(WORK_LIMITS.renderedBytes / 2);
const sortedLists = new ByteCache<V2Reply['body']>(WORK_LIMITS.renderedBytes / 2);

/**
 * Lists members and standbys alike, by rank or sorted by key: a node determines its own rank. `onMade` gets
 * their number if the list had to be rendered.
 */
export function listReply(
  token: string,
  sorted: boolean,
  list: ListMembersResponse,
  onMade: (members: number) => void = () => {},
): V2Reply {
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

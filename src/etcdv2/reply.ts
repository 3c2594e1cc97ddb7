import type { Cluster, Member } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type CreateTokenResponse,
  type DeleteTokenResponse,
  type DeregisterResponse,
  type ListMembersResponse,
  RegisterOutcome,
  type RegisterResponse,
} from '../../gen/discovery/v1/service_pb.ts';
import { requireMessage } from '../etcd/client.ts';
import { formatValue } from '../etcd/value.ts';
import { memo } from '../values/memo.ts';
import type { UnreadReason, V2Error } from './errors.ts';
import type { Condition } from './request.ts';

/** V2Reply is a response, complete except for the headers that all responses share. */
export interface V2Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** The store's revision for X-Etcd-Index. Unset where etcd sends none. */
  readonly index?: bigint;
  readonly headers?: Readonly<Record<string, string>>;
  /** Why the request's body was not read completely. */
  readonly unread?: UnreadReason;
}

// Fields are in etcd's order. Revisions are formatted by hand, because JSON.stringify does not support
// bigint. So are keys: the service has validated their tokens and IDs, which contain no character that JSON
// escapes.

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Uses only the token, without the caller's secret: rendered keys are shared with callers that have another
 * secret, and nodes log them.
 */
function directoryKey(token: string): string {
  const colon = token.indexOf(':');
  return `/_etcd/registry/${colon < 0 ? token : token.slice(0, colon)}`;
}

const memberKey = (token: string, id: string): string => `${directoryKey(token)}/${id}`;

/** The keys of a token, as responses and errors spell them. */
export const keys = {
  token: directoryKey,
  config: (token: string): string => `${directoryKey(token)}/_config`,
  size: (token: string): string => `${directoryKey(token)}/_config/size`,
  member: memberKey,
} as const;

/** The revisions at which a key was last and first written. */
type Revisions = Pick<Member, 'modRevision' | 'createRevision'>;

/** The revisions of a key that never changes after its creation. */
export const unchanged = (createRevision: bigint): Revisions => ({
  modRevision: createRevision,
  createRevision,
});

function fileNode(key: string, value: string, { modRevision, createRevision }: Revisions): string {
  return `{"key":"${key}","value":${JSON.stringify(value)},"modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

/** Returns a directory as listings show it. Without nodes to show, the field is omitted. */
export function directoryNode(
  key: string,
  nodes: readonly string[],
  { modRevision, createRevision }: Revisions,
): string {
  const list = nodes.length === 0 ? '' : `"nodes":[${nodes.join(',')}],`;
  return `{"key":"${key}","dir":true,${list}"modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

/** Returns what remains of a deleted key. */
function deletedNode(key: string, { modRevision, createRevision }: Revisions): string {
  return `{"key":"${key}","modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

// A service in the same process returns the same message as long as a member or a cluster is unchanged, so it
// is rendered once for all responses and waiting clients.
const memberNodes = memo<Member, string>();

export function memberNode(token: string, member: Member): string {
  let node = memberNodes.get(member);
  if (node === undefined) {
    node = fileNode(memberKey(token, member.id), formatValue(member), member);
    memberNodes.set(member, node);
  }
  return node;
}

const sizeNodes = memo<Cluster, string>();

function sizeNode(cluster: Cluster): string {
  let node = sizeNodes.get(cluster);
  if (node === undefined) {
    const { token, size, createRevision } = cluster;
    node = fileNode(keys.size(token), String(size), unchanged(createRevision));
    sizeNodes.set(cluster, node);
  }
  return node;
}

export function bodyOf(action: string, node: string, prevNode?: string): string {
  const previous = prevNode === undefined ? '' : `,"prevNode":${prevNode}`;
  return `{"action":"${action}","node":${node}${previous}}\n`;
}

function answer(action: string, node: string, index: bigint, prevNode?: string, status = 200): V2Reply {
  return { status, contentType: JSON_TYPE, index, body: bodyOf(action, node, prevNode) };
}

export function sizeReply({ cluster, revision }: ListMembersResponse): V2Reply {
  return answer('get', sizeNode(requireMessage(cluster)), revision);
}

/** The directory that listings omit but that can be read by name. */
export function configReply(list: ListMembersResponse): V2Reply {
  const cluster = requireMessage(list.cluster);
  const { token, createRevision } = cluster;
  const node = directoryNode(keys.config(token), [sizeNode(cluster)], unchanged(createRevision));
  return answer('get', node, list.revision);
}

export function memberReply(token: string, member: Member, index: bigint): V2Reply {
  return answer('get', memberNode(token, member), index);
}

/** Returns the event of a registration, as a wait returns it. */
export function registeredBody(token: string, member: Member, action: 'create' | 'set'): string {
  return `{"action":"${action}","node":${memberNode(token, member)}}\n`;
}

export function eventReply(body: string, index: bigint): V2Reply {
  return { status: 200, contentType: JSON_TYPE, index, body };
}

const ACTIONS = {
  CREATE: 'create',
  SET: 'set',
  UPDATE: 'update',
  COMPARE: 'compareAndSwap',
} as const satisfies Record<Condition['type'], string>;

/**
 * Answers a retry of a create like the first attempt. Any other write of an unchanged member is answered as a
 * replacement by itself.
 */
export function registerReply(
  token: string,
  member: Member,
  condition: Condition,
  response: RegisterResponse,
): V2Reply {
  const created = condition.type === 'CREATE' || response.outcome === RegisterOutcome.CREATED;
  const previous = created ? undefined : memberNode(token, response.previous ?? member);
  const action = ACTIONS[condition.type];
  return answer(action, memberNode(token, member), response.revision, previous, created ? 201 : 200);
}

export function madeTokenReply(
  cluster: Cluster,
  action: 'create' | 'set',
  { created, revision }: CreateTokenResponse,
): V2Reply {
  const node = sizeNode(cluster);
  return answer(action, node, revision, created ? undefined : node, created ? 201 : 200);
}

export function deregisterReply(token: string, member: Member, { revision }: DeregisterResponse): V2Reply {
  const { createRevision } = member;
  const node = deletedNode(memberKey(token, member.id), { modRevision: revision, createRevision });
  return answer('delete', node, revision, memberNode(token, member));
}

export function deletedTokenReply(cluster: Cluster, { revision }: DeleteTokenResponse): V2Reply {
  const { token, createRevision } = cluster;
  const key = directoryKey(token);
  const node = directoryNode(key, [], { modRevision: revision, createRevision });
  return answer('delete', node, revision, directoryNode(key, [], unchanged(createRevision)));
}

/** Returns the value for --discovery, without a newline so that scripts can use it unchanged. */
export function newReply(url: string): V2Reply {
  return { status: 200, contentType: TEXT_TYPE, body: url };
}

export function versionReply(etcdVersion: string, ownVersion: string): V2Reply {
  const body = { etcdserver: etcdVersion, etcdcluster: etcdVersion, 'etcd-discovery': ownVersion };
  return { status: 200, contentType: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

/** Redirects to the path without empty and dot segments. */
export function movedReply(location: string): V2Reply {
  const href = location.replaceAll('&', '&amp;').replaceAll("'", '&#39;');
  return {
    status: 301,
    contentType: 'text/html; charset=utf-8',
    headers: { Location: location },
    body: `<a href="${href}">Moved Permanently</a>.\n\n`,
  };
}

/** The response to OPTIONS, which consists of headers only. */
export const OPTIONS_REPLY: V2Reply = { status: 200, contentType: TEXT_TYPE, body: '' };

/** Returns an error's text for people. `baseUrl` is the service that creates new tokens. */
export function errorText({ cause, newTokenSize }: V2Error, baseUrl: string): string {
  return newTokenSize === undefined ? cause : `${cause}: curl '${baseUrl}/new?size=${newTokenSize}'`;
}

/** Headers of a page that every response already has, or that a reply sets in another way. */
const HAS = new Set(['Content-Type', 'Cache-Control', 'Vary']);

/** Returns an error as a web page. */
export function pageReply(
  reply: V2Reply,
  { headers = {}, body }: Pick<V2Reply, 'body' | 'headers'>,
): V2Reply {
  const more = Object.entries(headers).filter(([name]) => !HAS.has(name));
  return {
    ...reply,
    contentType: headers['Content-Type'] ?? reply.contentType,
    body,
    headers: { ...reply.headers, ...Object.fromEntries(more) },
  };
}

/** Returns an error. */
export function errorReply(error: V2Error, baseUrl: string): V2Reply {
  const { status, errorCode, message, index, allow, plain, unread, retryAfter } = error;
  const cause = errorText(error, baseUrl);
  return {
    status,
    ...(allow !== undefined && { headers: { Allow: allow } }),
    ...(retryAfter !== undefined && { headers: { 'Retry-After': String(Math.ceil(retryAfter / 1000)) } }),
    ...(status === 401 && { headers: { 'WWW-Authenticate': 'Basic realm="etcd-discovery"' } }),
    ...(unread !== undefined && { unread }),
    ...(plain === true
      ? { contentType: TEXT_TYPE, body: `${cause}\n` }
      : {
          contentType: JSON_TYPE,
          index,
          body: `{"errorCode":${errorCode},"message":${JSON.stringify(message)},"cause":${JSON.stringify(cause)},"index":${index}}\n`,
        }),
  };
}

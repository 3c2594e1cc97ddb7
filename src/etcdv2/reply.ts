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
import type { Unread, V2Error } from './errors.ts';
import type { Condition } from './request.ts';

/** An answer, complete but for the headers that every answer has. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** The store's revision, for X-Etcd-Index. Unset where etcd sends none. */
  readonly index?: bigint;
  readonly headers?: Readonly<Record<string, string>>;
  /** Why the request's body was not read to its end. */
  readonly unread?: Unread;
}

// Fields stand in etcd's order. Revisions are written by hand, as JSON.stringify knows no bigint, and keys too: the
// service has accepted their tokens and ids, which have no character that JSON escapes.

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Of the token alone, without the secret that its caller may have written behind it: what is made of a key is shared
 * with callers who have another one, and nodes print keys in their logs.
 */
function directoryKey(token: string): string {
  const colon = token.indexOf(':');
  return `/_etcd/registry/${colon < 0 ? token : token.slice(0, colon)}`;
}

const memberKey = (token: string, id: string): string => `${directoryKey(token)}/${id}`;

/** The keys of a token, as replies and errors spell them. */
export const keys = {
  token: directoryKey,
  config: (token: string): string => `${directoryKey(token)}/_config`,
  size: (token: string): string => `${directoryKey(token)}/_config/size`,
  member: memberKey,
} as const;

/** The revisions at which a key was written, for the last time and for the first. */
type Revisions = Pick<Member, 'modRevision' | 'createRevision'>;

/** Those of a key that stays as it was made. */
export const unchanged = (createRevision: bigint): Revisions => ({
  modRevision: createRevision,
  createRevision,
});

function fileNode(key: string, value: string, { modRevision, createRevision }: Revisions): string {
  return `{"key":"${key}","value":${JSON.stringify(value)},"modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

/** A directory as it is listed; without its nodes, and without the field, when there are none to show. */
export function directoryNode(
  key: string,
  nodes: readonly string[],
  { modRevision, createRevision }: Revisions,
): string {
  const list = nodes.length === 0 ? '' : `"nodes":[${nodes.join(',')}],`;
  return `{"key":"${key}","dir":true,${list}"modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

/** What is left of a deleted key. */
function deletedNode(key: string, { modRevision, createRevision }: Revisions): string {
  return `{"key":"${key}","modifiedIndex":${modRevision},"createdIndex":${createRevision}}`;
}

// A service in the same process answers with the same message as long as a member or a cluster is as it was: what
// was made of one is then made once, for every answer and every waiter.
const memberNodes = new WeakMap<Member, string>();

export function memberNode(token: string, member: Member): string {
  let node = memberNodes.get(member);
  if (node === undefined) {
    node = fileNode(memberKey(token, member.id), formatValue(member), member);
    memberNodes.set(member, node);
  }
  return node;
}

const sizeNodes = new WeakMap<Cluster, string>();

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

function answer(action: string, node: string, index: bigint, prevNode?: string, status = 200): Reply {
  return { status, contentType: JSON_TYPE, index, body: bodyOf(action, node, prevNode) };
}

export function sizeReply({ cluster, revision }: ListMembersResponse): Reply {
  return answer('get', sizeNode(requireMessage(cluster)), revision);
}

/** The directory that never shows in a listing, and can be read all the same. */
export function configReply(list: ListMembersResponse): Reply {
  const cluster = requireMessage(list.cluster);
  const { token, createRevision } = cluster;
  const node = directoryNode(keys.config(token), [sizeNode(cluster)], unchanged(createRevision));
  return answer('get', node, list.revision);
}

export function memberReply(token: string, member: Member, index: bigint): Reply {
  return answer('get', memberNode(token, member), index);
}

/** The event of a registration, as a wait is answered. */
export function registeredBody(token: string, member: Member, action: 'create' | 'set'): string {
  return `{"action":"${action}","node":${memberNode(token, member)}}\n`;
}

export function eventReply(body: string, index: bigint): Reply {
  return { status: 200, contentType: JSON_TYPE, index, body };
}

const ACTIONS = {
  CREATE: 'create',
  SET: 'set',
  UPDATE: 'update',
  COMPARE: 'compareAndSwap',
} as const satisfies Record<Condition['type'], string>;

/**
 * A retry of a create is answered as the first one was. Any other write of what is there already answers
 * that it replaced the member by itself.
 */
export function registerReply(
  token: string,
  member: Member,
  condition: Condition,
  response: RegisterResponse,
): Reply {
  const created = condition.type === 'CREATE' || response.outcome === RegisterOutcome.CREATED;
  const previous = created ? undefined : memberNode(token, response.previous ?? member);
  const action = ACTIONS[condition.type];
  return answer(action, memberNode(token, member), response.revision, previous, created ? 201 : 200);
}

export function madeTokenReply(
  cluster: Cluster,
  action: 'create' | 'set',
  { created, revision }: CreateTokenResponse,
): Reply {
  const node = sizeNode(cluster);
  return answer(action, node, revision, created ? undefined : node, created ? 201 : 200);
}

export function deregisterReply(token: string, member: Member, { revision }: DeregisterResponse): Reply {
  const { createRevision } = member;
  const node = deletedNode(memberKey(token, member.id), { modRevision: revision, createRevision });
  return answer('delete', node, revision, memberNode(token, member));
}

export function deletedTokenReply(cluster: Cluster, { revision }: DeleteTokenResponse): Reply {
  const { token, createRevision } = cluster;
  const key = directoryKey(token);
  const node = directoryNode(key, [], { modRevision: revision, createRevision });
  return answer('delete', node, revision, directoryNode(key, [], unchanged(createRevision)));
}

/** What a person puts after --discovery; no newline, so that scripts can take it as it is. */
export function newReply(url: string): Reply {
  return { status: 200, contentType: TEXT_TYPE, body: url };
}

export function versionReply(etcdVersion: string, ownVersion: string): Reply {
  const body = { etcdserver: etcdVersion, etcdcluster: etcdVersion, 'etcd-discovery': ownVersion };
  return { status: 200, contentType: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}

/** The way to the path without empty and dot segments. */
export function movedReply(location: string): Reply {
  const href = location.replaceAll('&', '&amp;').replaceAll("'", '&#39;');
  return {
    status: 301,
    contentType: 'text/html; charset=utf-8',
    headers: { Location: location },
    body: `<a href="${href}">Moved Permanently</a>.\n\n`,
  };
}

/** The answer to OPTIONS, whose headers say it all. */
export const OPTIONS_REPLY: Reply = { status: 200, contentType: TEXT_TYPE, body: '' };

/** What a refusal says to a person; `baseUrl` is where a new token is to be had. */
export function errorText({ cause, newTokenSize }: V2Error, baseUrl: string): string {
  return newTokenSize === undefined ? cause : `${cause}: curl '${baseUrl}/new?size=${newTokenSize}'`;
}

/** Headers of a page that every answer here has, or that say what a reply says elsewhere. */
const HAS = new Set(['Content-Type', 'Cache-Control', 'Vary']);

/** A refusal that is shown as a web page. */
export function pageReply(reply: Reply, { headers = {}, body }: Pick<Reply, 'body' | 'headers'>): Reply {
  const more = Object.entries(headers).filter(([name]) => !HAS.has(name));
  return {
    ...reply,
    contentType: headers['Content-Type'] ?? reply.contentType,
    body,
    headers: { ...reply.headers, ...Object.fromEntries(more) },
  };
}

/** A refusal. */
export function errorReply(error: V2Error, baseUrl: string): Reply {
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

import { isSecretHash } from '../discovery/access.ts';
import type { Cluster, Millis } from '../discovery/types.ts';
import { ACCESSES, type Locks } from '../discovery/types.ts';
import type { RawCluster, RawMember } from './parse.ts';

// The export format: JSON, one object per line. The first line identifies the file; the last has the number
// of clusters, so that a truncated file is detected. Times are ISO 8601, UTC, with milliseconds.

const FORMAT = 'etcd-discovery export';
const VERSION = 1;

export type Line =
  | { readonly type: 'HEADER' }
  | { readonly type: 'CLUSTER'; readonly cluster: RawCluster }
  | { readonly type: 'END'; readonly clusters: number };

export function headerLine(now: Millis): string {
  return line({ format: FORMAT, version: VERSION, exportTime: time(now) });
}

export function clusterLine(cluster: Cluster): string {
  return line({
    token: cluster.token,
    size: cluster.size,
    description: cluster.description,
    allowRejoin: cluster.allowRejoin,
    ...(cluster.locks && { locks: cluster.locks }),
    createTime: time(cluster.createTime),
    expireTime: time(cluster.expireTime),
    members: cluster.members.map(({ id, name, peerUrls, registerTime, discoveryText }) => {
      return { id, name, peerUrls, registerTime: time(registerTime), discoveryText };
    }),
  });
}

export function endLine(clusters: number): string {
  return line({ end: true, clusters });
}

function line(object: object): string {
  return `${JSON.stringify(object)}\n`;
}

function time(ms: Millis): string {
  return new Date(ms).toISOString();
}

/** Parses a line. Returns a string that says what is wrong if it is invalid. */
export function parseLine(text: string): Line | string {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return 'not valid JSON';
  }
  if (!isObject(object)) return 'not a JSON object';
  try {
    if ('format' in object) return header(object);
    if ('end' in object) return end(object);
    return { type: 'CLUSTER', cluster: cluster(object) };
  } catch (error) {
    if (error instanceof Wrong) return error.message;
    throw error;
  }
}

function header(object: Json): Line {
  const { format, version } = object;
  if (format !== FORMAT) throw new Wrong('the header names another format');
  if (version !== VERSION) {
    const other = typeof version === 'number' ? `version ${version}` : 'no version';
    throw new Wrong(`the format has ${other}, and this program reads version ${VERSION}`);
  }
  return { type: 'HEADER' };
}

function end(object: Json): Line {
  return { type: 'END', clusters: numberIn(object, 'clusters') };
}

const CLUSTER_FIELDS = [
  'token',
  'size',
  'description',
  'allowRejoin',
  'locks',
  'createTime',
  'expireTime',
  'members',
];
const MEMBER_FIELDS = ['id', 'name', 'peerUrls', 'registerTime', 'discoveryText'];

function cluster(object: Json): RawCluster {
  onlyFields(object, CLUSTER_FIELDS);
  const { allowRejoin, members } = object;
  if (typeof allowRejoin !== 'boolean') throw new Wrong('"allowRejoin" must be true or false');
  if (!Array.isArray(members)) throw new Wrong('"members" must be a list');
  return {
    token: textIn(object, 'token'),
    size: numberIn(object, 'size'),
    description: textIn(object, 'description'),
    allowRejoin,
    ...(object['locks'] !== undefined && { locks: locksIn(object) }),
    createTime: timeIn(object, 'createTime'),
    expireTime: timeIn(object, 'expireTime'),
    isAgeGuessed: false,
    members: members.map(member),
  };
}

/** Parses the hashes of the secrets that guard the token. */
function locksIn({ locks }: Json): Locks {
  if (!isObject(locks)) throw new Wrong('"locks" must be an object');
  onlyFields(locks, ACCESSES);
  if (!Object.values(locks).every((hash) => typeof hash === 'string' && isSecretHash(hash))) {
    throw new Wrong('"locks" has a value that is not a hash');
  }
  return locks;
}

function member(object: unknown): RawMember {
  if (!isObject(object)) throw new Wrong('a member must be an object');
  onlyFields(object, MEMBER_FIELDS);
  const { peerUrls } = object;
  if (!isTexts(peerUrls)) throw new Wrong('"peerUrls" must be a list of strings');
  return {
    id: textIn(object, 'id'),
    name: textIn(object, 'name'),
    peerUrls,
    registerTime: timeIn(object, 'registerTime'),
    ...(object['discoveryText'] !== undefined && { discoveryText: textIn(object, 'discoveryText') }),
  };
}

type Json = Readonly<Record<string, unknown>>;

class Wrong extends Error {}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** Rejects unknown fields instead of dropping them silently. */
function onlyFields(object: Json, fields: readonly string[]): void {
  const other = Object.keys(object).find((field) => !fields.includes(field));
  if (other === undefined) return;
  const shown = JSON.stringify(other.slice(0, 40)).replace(/[^\x20-\x7e]/g, '?');
  throw new Wrong(`unknown field ${shown}`);
}

function textIn(object: Json, field: string): string {
  const value = object[field];
  if (typeof value !== 'string') throw new Wrong(`"${field}" must be a string`);
  return value;
}

function numberIn(object: Json, field: string): number {
  const value = object[field];
  if (!Number.isSafeInteger(value)) throw new Wrong(`"${field}" must be a whole number`);
  return value as number;
}

function timeIn(object: Json, field: string): number {
  const text = textIn(object, field);
  const ms = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) || Number.isNaN(ms)) {
    throw new Wrong(`"${field}" must be a time like 2026-01-31T12:00:00.000Z`);
  }
  return ms;
}

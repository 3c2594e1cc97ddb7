import { quoted } from '../../etcd/text.ts';
import { parseValue } from '../../etcd/value.ts';
import type { Item } from '../import.ts';
import type { RawMember } from '../parse.ts';

// The data of the Go service in etcd v3: files of a tree as etcd's "v2 over v3" emulation writes them, under
// the service's own prefix, each with its depth before its path:
//   /discovery.etcd.io/registry/003/k//TOKEN/_config/size  -> 3
//   /discovery.etcd.io/registry/002/k//TOKEN/ID            -> name=http://10.0.0.1:2380
//   /discovery.etcd.io/registry/001/k//TOKEN/              -> '' (a directory)
// and, for its garbage collection, the creation time of each token:
//   /discoverygc/2026-11-23T04:16:29Z/TOKEN                -> ''
// Older versions of the service, such as Debian's, do not support v3 and use etcd's own v2 API. If their etcd
// emulates that (--experimental-enable-v2v3), the paths start with /1/_etcd/registry/.

export const TREE = '/discovery.etcd.io/registry/';
export const AGES = '/discoverygc/';

/** OldKey is one key of the tree, or of the v2 API. */
export interface OldKey {
  /** `TOKEN/ID` or `TOKEN/_config/size`. */
  readonly path: string;
  readonly value: string;
  /** Determines the rank of the member. */
  readonly createRevision: number;
}

/** Returns the path of a v3 key within the tree of tokens. Undefined for directories and unrelated keys. */
export function treePathOf(key: string): string | undefined {
  const [, depth, path = ''] = /^(\d{3,})\/k\/(\/.*)$/.exec(key.slice(TREE.length)) ?? [];
  if (!key.startsWith(TREE) || path.endsWith('/') || path.split('/').length - 1 !== Number(depth))
    return undefined;
  return path.replace(/^\/(1\/_etcd\/registry\/)?/, '');
}

/** Returns the token of a garbage-collection key, and its creation time in ms. Undefined for other keys. */
export function ageOf(key: string): readonly [token: string, createTime: number] | undefined {
  const [, time = '', token = ''] = /^([^/]+)\/([^/]+)$/.exec(key.slice(AGES.length)) ?? [];
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : [token, ms];
}

/** Ages holds the assumed creation time of a token without a known one, and the lifetime of tokens, in ms. */
export interface Ages {
  readonly createTimes: ReadonlyMap<string, number>;
  readonly now: number;
  readonly ttl: number;
}

interface Tree {
  size: string | undefined;
  readonly members: Array<RawMember & { readonly createRevision: number }>;
  problem: string | undefined;
}

/**
 * Returns the clusters described by the keys, in any order. Values that are not members are reported with
 * their token.
 */
export function clustersOf(keys: Iterable<OldKey>, { createTimes, now, ttl }: Ages): Item[] {
  const trees = new Map<string, Tree>();
  for (const { path, value, createRevision } of keys) {
    const [token = '', ...rest] = path.split('/');
    const tree = trees.get(token) ?? { size: undefined, members: [], problem: undefined };
    trees.set(token, tree);
    const [id = ''] = rest;
    if (rest.join('/') === '_config/size') tree.size = value;
    else if (rest.length === 1 && !id.startsWith('_')) {
      const registerTime = createTimes.get(token) ?? now;
      const member = parseValue(value);
      if (typeof member === 'string') tree.problem = `the member ${shown(id)}: ${member}`;
      else tree.members.push({ id, ...member, registerTime, createRevision });
    }
  }
  return [...trees].map(([token, { size, members, problem }]) => {
    const where = `token ${shown(token.slice(0, 4))}...`;
    if (size === undefined) return { where, cluster: 'the size is missing' };
    if (problem !== undefined) return { where, cluster: problem };
    if (!/^[1-9]\d{0,8}$/.test(size)) return { where, cluster: `invalid size ${quoted(size)}` };
    const createTime = createTimes.get(token);
    const made = createTime ?? now;
    return {
      where,
      cluster: {
        token,
        size: Number(size),
        description: '',
        allowRejoin: false,
        createTime: made,
        expireTime: made + ttl,
        isAgeGuessed: createTime === undefined,
        members: members
          .sort((a, b) => a.createRevision - b.createRevision)
          .map(({ createRevision: _, ...member }) => member),
      },
    };
  });
}

/** Quotes a name only if this service would not accept it as a name. */
function shown(name: string): string {
  return /^[\w.~-]{1,64}$/.test(name) ? name : quoted(name);
}

import { quoted } from '../../etcd/text.ts';
import { parseValue } from '../../etcd/value.ts';
import type { Item } from '../import.ts';
import type { RawMember } from '../parse.ts';

// What the Go service keeps in etcd v3: files of a tree as etcd's "v2 over v3" emulation writes them, under a
// prefix of the service's own, with the depth of each before its path:
//   /discovery.etcd.io/registry/003/k//TOKEN/_config/size  -> 3
//   /discovery.etcd.io/registry/002/k//TOKEN/ID            -> name=http://10.0.0.1:2380
//   /discovery.etcd.io/registry/001/k//TOKEN/              -> '' (a directory)
// and, for its garbage collection, when each token was made:
//   /discoverygc/2026-11-23T04:16:29Z/TOKEN                -> ''
// Older versions of the service, like Debian's, know nothing of v3 and speak to etcd's own v2 API. Where their
// etcd emulates that (--experimental-enable-v2v3) the paths begin with /1/_etcd/registry/.

export const TREE = '/discovery.etcd.io/registry/';
export const AGES = '/discoverygc/';

/** One key of the tree, or of the v2 API. */
export interface OldKey {
  /** `TOKEN/ID` or `TOKEN/_config/size`. */
  readonly path: string;
  readonly value: string;
  /** Ranks the members. */
  readonly createRevision: number;
}

/** The path of a v3 key within the tree of tokens; undefined for directories and what is not of it. */
export function treePathOf(key: string): string | undefined {
  const [, depth, path = ''] = /^(\d{3,})\/k\/(\/.*)$/.exec(key.slice(TREE.length)) ?? [];
  if (!key.startsWith(TREE) || path.endsWith('/') || path.split('/').length - 1 !== Number(depth))
    return undefined;
  return path.replace(/^\/(1\/_etcd\/registry\/)?/, '');
}

/** The token of a key of the ages, and when it was made in ms; undefined when it is none. */
export function ageOf(key: string): readonly [token: string, createTime: number] | undefined {
  const [, time = '', token = ''] = /^([^/]+)\/([^/]+)$/.exec(key.slice(AGES.length)) ?? [];
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : [token, ms];
}

/** What the times of a token without an age are taken for, and how long tokens live, in ms. */
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

/** The clusters that the keys come to, in any order of the keys. What is no member is told with its token. */
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
    if (size === undefined) return { where, cluster: 'it has no size' };
    if (problem !== undefined) return { where, cluster: problem };
    if (!/^[1-9]\d{0,8}$/.test(size)) return { where, cluster: `its size is ${quoted(size)}` };
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

/** Only what could not be a name of ours is quoted. */
function shown(name: string): string {
  return /^[\w.~-]{1,64}$/.test(name) ? name : quoted(name);
}

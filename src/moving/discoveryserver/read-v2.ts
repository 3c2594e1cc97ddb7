import { parseEtcdVersion } from '../../values/etcd-version.ts';
import type { OldKey } from './keys.ts';

// Older versions of the Go service, like Debian's, keep their tokens in etcd's v2 keys. These are read over HTTP,
// which the etcd must still serve (--enable-v2), whether it emulates them over v3 or not.

const REGISTRY = '/v2/keys/_etcd/registry';
const DEADLINE_MS = 30_000;
/** One that does not answer at once is asked for its keys all the same. */
const VERSION_MS = 5000;
/** Sizes that are asked for at the same time: each is a call of its own. */
const SIZES_AT_ONCE = 16;

interface Node {
  readonly key: string;
  readonly value?: string;
  readonly createdIndex?: number;
  readonly nodes?: readonly Node[];
}

/** What the Go service keeps in the v2 keys of an etcd; nothing when that serves none. */
export async function readV2(url: string): Promise<OldKey[]> {
  const registry = await get(url, `${REGISTRY}?recursive=true`);
  const keys: OldKey[] = [];
  const trees = [...(registry?.nodes ?? [])];
  for (const { nodes = [] } of trees) for (const node of nodes) keys.push(...fileKeys(node));
  // Hidden, as its name begins with an underscore.
  const work = async (): Promise<void> => {
    for (let tree = trees.pop(); tree !== undefined; tree = trees.pop()) {
      const size = await get(url, `/v2/keys${encodeURI(tree.key)}/_config/size`);
      if (size !== undefined) keys.push(...fileKeys(size));
    }
  };
  await Promise.all(Array.from({ length: SIZES_AT_ONCE }, work));
  return keys;
}

function fileKeys({ key, value, createdIndex = 0 }: Node): OldKey[] {
  if (value === undefined) return [];
  return [
    { path: key.slice(key.indexOf('/registry/') + '/registry/'.length), value, createRevision: createdIndex },
  ];
}

/** The version of an etcd. Undefined when it does not say: one with emulated v2 keys hangs up. */
export async function versionOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL('/version', url), { signal: AbortSignal.timeout(VERSION_MS) });
    return parseEtcdVersion(await response.text());
  } catch {
    return undefined;
  }
}

/** One node of the tree; undefined when it is not there, or nobody serves v2 keys. */
async function get(url: string, path: string): Promise<Node | undefined> {
  const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(DEADLINE_MS) });
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) throw new Error(`GET ${path.split('?')[0]} was answered with status ${response.status}`);
  return ((await response.json()) as { node: Node }).node;
}

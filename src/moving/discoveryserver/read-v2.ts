import { parseEtcdVersion } from '../../values/etcd-version.ts';
import type { OldKey } from './keys.ts';

// Older versions of the Go service, such as Debian's, store their tokens in etcd's v2 keys. They are read
// over HTTP, which the etcd must still serve (--enable-v2), whether or not it emulates the keys over v3.

const REGISTRY = '/v2/keys/_etcd/registry';
const DEADLINE_MS = 30_000;
/** An etcd that does not return its version in this time is still asked for its keys. */
const VERSION_MS = 5000;
/** The number of sizes requested at once. Each takes a call of its own. */
const SIZES_AT_ONCE = 16;

interface Node {
  readonly key: string;
  readonly value?: string;
  readonly createdIndex?: number;
  readonly nodes?: readonly Node[];
}

/** Reads what the Go service stored in the v2 keys of an etcd. Empty if the etcd does not serve v2 keys. */
export async function readV2(url: string): Promise<OldKey[]> {
  const registry = await get(url, `${REGISTRY}?recursive=true`);
  const keys: OldKey[] = [];
  const trees = [...(registry?.nodes ?? [])];
  for (const { nodes = [] } of trees) for (const node of nodes) keys.push(...fileKeys(node));
  // Requested by name, because names that start with an underscore are hidden.
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

/**
 * Returns the version of an etcd. Undefined if it does not say: one with emulated v2 keys closes the
 * connection.
 */
export async function versionOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL('/version', url), { signal: AbortSignal.timeout(VERSION_MS) });
    return parseEtcdVersion(await response.text());
  } catch {
    return undefined;
  }
}

/** Reads one node of the tree. Undefined if it does not exist or v2 keys are not served. */
async function get(url: string, path: string): Promise<Node | undefined> {
  const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(DEADLINE_MS) });
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) throw new Error(`GET ${path.split('?')[0]} returned status ${response.status}`);
  return ((await response.json()) as { node: Node }).node;
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { EtcdNode } from './node.ts';
import { endingText } from './run.ts';
import type { Scene } from './scene.ts';
import { ETCDCTL } from './versions.ts';

const run = promisify(execFile);
const CALL_LIMIT_MS = 15_000;

/**
 * Waits until the nodes are a healthy cluster of exactly these members, and proves it: a value put through the first
 * is read through every other.
 */
export async function expectCluster(scene: Scene, nodes: readonly EtcdNode[]): Promise<void> {
  const [first] = nodes;
  assert.ok(first !== undefined);

  await expectHealthy(scene, nodes);
  // A node publishes its name to the others a moment after it is healthy.
  await scene.until('every member to be known by its name and peer URLs', async (): Promise<true> => {
    const members = await Promise.all(nodes.map((node) => listMembers(node.clientUrl)));
    const wanted = nodes.map(describeMember).sort().join('; ');
    const different = members.find((list) => list.join('; ') !== wanted);
    if (different !== undefined) throw new Error(`wanted ${wanted}, found ${different.join('; ')}`);
    return true;
  });

  const [key, value] = [`key-${randomBytes(4).toString('hex')}`, `value-${randomBytes(4).toString('hex')}`];
  // A new cluster on a busy machine may still change its leader.
  await scene.until('a put through one member to be read through all', async (): Promise<true> => {
    await put(first.clientUrl, key, value);
    for (const { clientUrl } of nodes) assert.equal(await get(clientUrl, key), value);
    return true;
  });
}

/** Waits until each node is healthy by `etcdctl endpoint health`. Fails if one ends first. */
export async function expectHealthy(scene: Scene, nodes: readonly EtcdNode[]): Promise<void> {
  await scene.until(`${nodes.map((node) => node.name).join(', ')} to be healthy`, async () => {
    const ended = nodes.find((node) => node.run.ending !== undefined);
    if (ended?.run.ending !== undefined) return `${ended.name} ended with ${endingText(ended.run.ending)}`;
    await checkHealth(nodes.map((node) => node.clientUrl));
    return true;
  });
}

const describeMember = ({ name, peerUrls }: { name: string; peerUrls: readonly string[] }): string =>
  `${name}=${[...peerUrls].sort().join(',')}`;

async function checkHealth(clientUrls: readonly string[]): Promise<void> {
  if (ETCDCTL !== undefined) {
    await etcdctl(clientUrls, 'endpoint', 'health');
    return;
  }
  for (const clientUrl of clientUrls) {
    const response = await fetch(`${clientUrl}/health`, { signal: AbortSignal.timeout(CALL_LIMIT_MS) });
    assert.match(await response.text(), /"health":\s*"true"/);
  }
}

async function put(clientUrl: string, key: string, value: string): Promise<void> {
  if (ETCDCTL !== undefined) await etcdctl([clientUrl], 'put', key, value);
  else await gateway(clientUrl, 'kv/put', { key: base64(key), value: base64(value) });
}

async function get(clientUrl: string, key: string): Promise<string | undefined> {
  if (ETCDCTL !== undefined) {
    return (await etcdctl([clientUrl], 'get', '--print-value-only', key)).trimEnd();
  }
  const { kvs } = (await gateway(clientUrl, 'kv/range', { key: base64(key) })) as KeyValues;
  return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString();
}

async function listMembers(clientUrl: string): Promise<string[]> {
  const { members } = (await gateway(clientUrl, 'cluster/member/list', {})) as Members;
  // The JSON omits a name that is not known yet.
  return members.map(({ name = '', peerURLs }) => describeMember({ name, peerUrls: peerURLs })).sort();
}

/** Returns the peer URLs of all members as this node reports them, sorted. */
export async function peerUrlsKnownTo({ clientUrl }: EtcdNode): Promise<string[]> {
  const { members } = (await gateway(clientUrl, 'cluster/member/list', {})) as Members;
  return members.flatMap(({ peerURLs }) => peerURLs).sort();
}

interface KeyValues {
  readonly kvs?: ReadonlyArray<{ readonly value: string }>;
}

interface Members {
  readonly members: ReadonlyArray<{ readonly name?: string; readonly peerURLs: readonly string[] }>;
}

/** Calls etcd's JSON gateway, which needs no other program. */
async function gateway(clientUrl: string, path: string, request: object): Promise<unknown> {
  const response = await fetch(`${clientUrl}/v3/${path}`, {
    method: 'POST',
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text}`);
  return JSON.parse(text);
}

async function etcdctl(clientUrls: readonly string[], ...args: readonly string[]): Promise<string> {
  assert.ok(ETCDCTL !== undefined);
  const all = ['--endpoints', clientUrls.join(','), ...args];
  const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
  const { stdout } = await run(ETCDCTL, all, { env, timeout: CALL_LIMIT_MS });
  return stdout;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

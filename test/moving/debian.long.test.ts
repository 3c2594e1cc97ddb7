import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePorts } from '../etcd/harness/ports.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { run, SpawnedService } from '../support/child.ts';

// The Go discovery service as Debian packages it (`apt-get install etcd-discovery`), over Debian's etcd 3.4.

const etcd = await installedEtcd();
const GO_SERVICE = 'discovery.etcd.io';

function whyNot(): string | undefined {
  if (etcd.missing !== undefined) return etcd.missing;
  if (etcd.series !== '3.4') return `etcd ${etcd.version} does not have the v2 keys of 3.4`;
  // It does not start without its configuration file.
  const isThere = spawnSync('which', [GO_SERVICE]).status === 0;
  if (isThere && existsSync('/etc/etcd-discovery/etcd-discovery.conf')) return undefined;
  return 'the Go service is not installed: apt-get install etcd-discovery';
}

const skip = whyNot() ?? false;
if (skip !== false) console.log(`skipped: ${skip}`);

/** Starts etcd without polling /health or /version: with emulated v2 keys it closes such connections. */
async function startEtcd(scene: Scene, path: string, flags: readonly string[]): Promise<string> {
  const [client = 0, peer = 0] = await freePorts(2);
  const [url, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  scene.run('etcd', path, [
    '--enable-v2',
    `--data-dir=${join(scene.directory, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    ...flags,
  ]);
  await scene.until('etcd to respond', async () => (await fetch(`${url}/v2/keys/`)).ok || undefined);
  return url;
}

async function put(url: string, value: string): Promise<void> {
  const { status } = await fetch(`${url}?prevExist=false`, {
    method: 'PUT',
    body: new URLSearchParams({ value }),
  });
  assert.equal(status, 201);
}

for (const [what, flags] of [
  ['in v2 keys', []],
  ['in v2 keys that etcd emulates over v3', ['--experimental-enable-v2v3=/emulated']],
  [
    'in emulated v2 keys where the later Go service has its own',
    ['--experimental-enable-v2v3=/discovery.etcd.io/registry'],
  ],
] satisfies Array<[string, string[]]>) {
  test(`import takes over tokens of Debian's Go service ${what}, and their nodes can continue`, {
    skip,
  }, async (t) => {
    if (etcd.missing !== undefined) return;
    const scene = await Scene.open(t);
    const source = await startEtcd(scene, etcd.etcd, flags);
    const [port = 0] = await freePorts(1);
    const old = `http://127.0.0.1:${port}`;
    scene.run('the Go service', GO_SERVICE, ['--etcd', source, '--host', old, '--addr', `127.0.0.1:${port}`]);
    await scene.until(
      'the Go service to respond',
      async () => (await fetch(`${old}/health`)).ok || undefined,
    );
    const half = await (await fetch(`${old}/new?size=3`)).text();
    await put(`${half}/8e9e05c52164694d`, 'infra2=http://10.0.0.2:2380');
    await put(`${half}/1b`, 'infra1=http://10.0.0.1:2380,infra1=https://10.0.0.1:2381');
    const whole = await (await fetch(`${old}/new?size=1`)).text();
    await put(`${whole}/1`, 'a=http://10.0.0.1:2380');
    const empty = await (await fetch(`${old}/new?size=5`)).text();
    const burnt = await (await fetch(`${old}/new?size=3`)).text();
    await put(`${burnt}/1`, 'rubbish');

    const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const args = ['import', '--from-discoveryserver', source, '--data-dir', dataDir];
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 1, 'one token is invalid');
    assert.match(stdout, /^imported: 3 tokens with 3 members\n[^]*^invalid, left out: 1$/m);
    assert.match(stderr, /^token \w{4}\.\.\.: the member 1: 'rubbish' has no equals sign; [^\n]*\n$/);
    assert.match((await run(args)).stdout, /^imported: 0 tokens[^]*^unchanged, already imported: 3$/m);

    const service = await SpawnedService.start([], { dataDir });
    t.after(() => service.end());
    const here = (url: string): string => url.replace(old, service.url);
    for (const [url, size] of [
      [half, '3'],
      [whole, '1'],
      [empty, '5'],
    ] as const) {
      const answer = (await (await fetch(`${here(url)}/_config/size`)).json()) as { node: { value: string } };
      assert.equal(answer.node.value, size);
    }
    // The third node uses the new service.
    await put(`${here(half)}/2c`, 'infra3=http://10.0.0.3:2380');
    const { node } = (await (await fetch(here(half))).json()) as {
      node: { nodes: Array<{ value: string; createdIndex: number }> };
    };
    const ranked = node.nodes.sort((a, b) => a.createdIndex - b.createdIndex).map(({ value }) => value);
    assert.deepEqual(ranked, [
      'infra2=http://10.0.0.2:2380',
      'infra1=http://10.0.0.1:2380,infra1=https://10.0.0.1:2381',
      'infra3=http://10.0.0.3:2380',
    ]);
  });
}

test('import reports an etcd without tokens of a Go service as such', { skip }, async (t) => {
  if (etcd.missing !== undefined) return;
  const source = await startEtcd(await Scene.open(t), etcd.etcd, []);
  const dataDir = join(tmpdir(), 'etcd-discovery-test-never-made');
  const args = ['import', '--from-discoveryserver', `${source}/`, '--data-dir', dataDir];
  const { code, stderr } = await run(args);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^etcd-discovery: the etcd at \S+ has no tokens of a Go discovery service, .*--enable-v2\)\n$/,
  );
  assert.equal(existsSync(dataDir), false);
});

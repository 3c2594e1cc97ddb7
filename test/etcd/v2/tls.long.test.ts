import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SpawnedService } from '../../support/child.ts';
import { CA, CA_FILE, TLS_ARGS } from '../../tls/files.ts';
import { expectCluster } from '../harness/cluster.ts';
import { PATIENT_FLAGS } from '../harness/etcdctl.ts';
import { EtcdNode } from '../harness/node.ts';
import { Scene } from '../harness/scene.ts';
import { builtEtcd, ETCDCTL, forEachEtcd } from '../harness/versions.ts';

// The service over TLS, with a certificate by a CA that only these programs trust.

const run = promisify(execFile);
const CALL_LIMIT_MS = 60_000;

async function start(scene: Scene): Promise<SpawnedService> {
  const service = await SpawnedService.start(TLS_ARGS);
  scene.after(() => service.remove());
  return service;
}

/** Creates a token for a cluster of one. Returns its discovery URL. */
function newDiscoveryUrl({ url }: SpawnedService): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${url}/new?size=1`, { ca: CA }, (response) => {
      text(response).then(resolve, reject);
    }).on('error', reject);
  });
}

await forEachEtcd((it) => {
  it('a node with --discovery bootstraps over https', async (scene, etcd) => {
    const discovery = await newDiscoveryUrl(await start(scene));
    assert.match(discovery, /^https:/);
    // Go's own way to trust a CA, because etcd has no flag for it here.
    const env = { SSL_CERT_FILE: CA_FILE };
    await expectCluster(scene, [await EtcdNode.start(scene, { etcd, name: 'infra1', discovery, env })]);
  });
});

const v3 = await builtEtcd('3.7');
// The ways to write the endpoint. etcd recognizes TLS by the scheme; without one it needs a flag.
const WAYS: ReadonlyArray<[name: string, endpoint: (url: string) => string, flags: readonly string[]]> = [
  ['https://host:port', (url) => url, []],
  ['host:port', (url) => new URL(url).host, ['--discovery-insecure-transport=false']],
];
for (const [name, endpoint, flags] of WAYS) {
  test(`a node with --discovery-token bootstraps over TLS from ${name}`, {
    skip: v3.missing ?? false,
  }, async (t) => {
    assert.ok(v3.missing === undefined);
    const scene = await Scene.open(t);
    const service = await start(scene);
    const token = new URL(await newDiscoveryUrl(service)).pathname.slice(1);
    const node = await EtcdNode.start(scene, {
      etcd: v3,
      name: 'infra1',
      discovery: { token, endpoints: [endpoint(service.url)] },
      flags: [...flags, '--discovery-cacert', CA_FILE],
    });
    await expectCluster(scene, [node]);
  });
}

test('etcdctl works over https', {
  skip: ETCDCTL === undefined && 'no etcdctl on PATH',
}, async (t) => {
  const command = ETCDCTL;
  assert.ok(command !== undefined);
  const { url } = await start(await Scene.open(t));
  const options = { env: { PATH: process.env['PATH'], ETCDCTL_API: '3' }, timeout: CALL_LIMIT_MS };
  const etcdctl = async (...args: readonly string[]): Promise<string> => {
    const all = ['--endpoints', url, '--cacert', CA_FILE, ...PATIENT_FLAGS, ...args];
    return (await run(command, all, options)).stdout;
  };
  const key = '/_etcd/registry/my-cluster/_config/size';
  assert.equal(await etcdctl('put', key, '3'), 'OK\n');
  assert.equal(await etcdctl('get', key), `${key}\n3\n`);
  assert.ok((await etcdctl('member', 'list')).includes(`, ${url}, `));
  assert.ok((await etcdctl('endpoint', 'status')).startsWith(`${url}, `));
  await etcdctl('endpoint', 'health');
});

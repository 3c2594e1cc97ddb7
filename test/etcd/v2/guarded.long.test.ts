import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueCredential } from '../../../src/server/clients/auth-file.ts';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

/** Creates a guarded token of size 2. Returns it with the secret for joining nodes. */
async function guarded(service: Service): Promise<{ token: string; secret: string }> {
  const { cluster, secrets } = (await service.call('CreateToken', {
    size: 2,
    guard: ['ACCESS_JOIN', 'ACCESS_READ'],
  })) as {
    cluster: { token: string };
    secrets: ReadonlyArray<{ access: string; secret: string }>;
  };
  const secret = secrets.find(({ access }) => access === 'ACCESS_JOIN')?.secret;
  assert.ok(secret !== undefined);
  return { token: cluster.token, secret };
}

await forEachEtcd((it) => {
  it('nodes with the secret of a guarded token form their cluster, and one without it gets an error', async (scene, etcd) => {
    const service = await Service.start(scene);
    const { token, secret } = await guarded(service);
    const stranger = await EtcdNode.start(scene, {
      etcd,
      discovery: `${service.url}/${token}`,
      name: 'stranger',
    });
    await scene.waitForEnd(stranger.run);
    assert.match(stranger.run.log, /this token requires a secret/);
    await expectCluster(
      scene,
      await startNodes(scene, { etcd, discovery: `${service.url}/${token}:${secret}` }, 2),
    );
  });
}, 'V2');

await forEachEtcd((it) => {
  it('nodes with --discovery-token send the secret too', async (scene, etcd) => {
    const service = await Service.start(scene);
    const { token, secret } = await guarded(service);
    const discovery = { token: `${token}:${secret}`, endpoints: [service.url] };
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 2));
  });
}, 'V3');

await forEachEtcd((it) => {
  it('a service that requires credentials accepts them from --discovery-user', async (scene, etcd) => {
    const { secret, line } = issueCredential('ci');
    const file = join(scene.directory, 'callers');
    writeFileSync(file, `${line}\n`);
    const service = await Service.start(scene, ['--auth', 'all', '--auth-file', file]);
    const headers = { Authorization: `Bearer ${secret}` };
    const made = await fetch(`${service.url}/new?size=2`, { headers });
    const token = new URL(await made.text()).pathname.slice(1);
    const discovery = { token, endpoints: [service.url] };
    const stranger = await EtcdNode.start(scene, { etcd, discovery, name: 'stranger' });
    await scene.waitForLog(stranger.run, /this service requires credentials/);
    await stranger.run.stop('SIGKILL');
    const flags = ['--discovery-user=ci', `--discovery-password=${secret}`];
    await expectCluster(scene, await startNodes(scene, { etcd, discovery, flags }, 2));
  });
}, 'V3');

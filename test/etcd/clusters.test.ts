import { test } from 'node:test';
import { expectCluster } from './harness/cluster.ts';
import { startNodes } from './harness/node.ts';
import { Scene } from './harness/scene.ts';
import { Service } from './harness/service.ts';
import { etcdIfAny, installedEtcd } from './harness/versions.ts';

// One cluster for each dialect, in every run. Long runs cover all versions and what can go wrong.

for (const [flag, etcd, discoveryAt] of [
  ['--discovery', await installedEtcd(), (service: Service) => service.newDiscoveryUrl(3)],
  ['--discovery-token', await etcdIfAny('3.7'), (service: Service) => service.newTokenDiscovery(3)],
] as const) {
  test(`three real nodes form a cluster with ${flag}`, { skip: etcd.missing ?? false }, async (t) => {
    if (etcd.missing !== undefined) return;
    const scene = await Scene.open(t);
    const discovery = await discoveryAt(await Service.start(scene));
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 3));
  });
}

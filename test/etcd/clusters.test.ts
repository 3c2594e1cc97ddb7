import { test } from 'node:test';
import { expectCluster } from './harness/cluster.ts';
import { startNodes } from './harness/node.ts';
import { Scene } from './harness/scene.ts';
import { Service } from './harness/service.ts';
import { etcdIfAny, installedEtcd } from './harness/versions.ts';

// One cluster for each dialect, in every run. The long runs have all versions and what goes wrong.

const v2 = await installedEtcd();
test('three real nodes form a cluster by --discovery', { skip: v2.missing ?? false }, async (t) => {
  if (v2.missing !== undefined) return;
  const scene = await Scene.open(t);
  const service = await Service.start(scene);
  const discovery = await service.newDiscoveryUrl(3);
  await expectCluster(scene, await startNodes(scene, { etcd: v2, discovery }, 3));
});

const v3 = await etcdIfAny('3.7');
test('three real nodes form a cluster by --discovery-token', { skip: v3.missing ?? false }, async (t) => {
  if (v3.missing !== undefined) return;
  const scene = await Scene.open(t);
  const service = await Service.start(scene);
  const discovery = await service.newTokenDiscovery(3);
  await expectCluster(scene, await startNodes(scene, { etcd: v3, discovery }, 3));
});

import assert from 'node:assert/strict';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

await forEachEtcd((it) => {
  it('a node killed while it waits joins its cluster when restarted', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(3);
    const nodes = await startNodes(scene, { etcd, discovery }, 2);
    const [first] = nodes;
    assert.ok(first !== undefined);
    await Promise.all(nodes.map((node) => node.waitUntilWaiting()));

    await first.crash();
    first.startAgain();
    await first.waitUntilWaiting();
    nodes.push(await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' }));
    await expectCluster(scene, nodes);
  });

  it('a node that is down while its cluster completes joins it when restarted', async (scene, etcd) => {
    const service = await Service.start(scene);
    // Without it the node has only seconds to return, which a slow machine may exceed.
    const token = await service.createToken({ size: 3, allowRejoin: true });
    const discovery = `${service.url}/${token}`;
    const first = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await first.waitUntilWaiting();

    await first.crash();
    const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
    const third = await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' });
    // Two of three are a quorum: they serve without the first.
    const serving = /ready to serve client requests/;
    await Promise.all([second, third].map((node) => scene.waitForLog(node.run, serving)));
    first.startAgain();
    await expectCluster(scene, [first, second, third]);
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`nodes that wait while the service ends by ${signal} and restarts complete their cluster`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newDiscoveryUrl(3);
      const nodes = await startNodes(scene, { etcd, discovery }, 2);
      await Promise.all(nodes.map((node) => node.waitUntilWaiting()));

      await service.stop(signal);
      // Starts while the service is down, so it has to wait for it as well.
      nodes.push(await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' }));
      await Promise.all(nodes.map((node) => scene.waitForLog(node.run, /retry/)));
      await service.startAgain();

      // Fails if any of them restarted or ended.
      await expectCluster(scene, nodes);
    });
  }
});

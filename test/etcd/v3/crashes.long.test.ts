import assert from 'node:assert/strict';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { forEachEtcd } from '../harness/versions.ts';

await forEachEtcd((it) => {
  it('a node killed while it waits joins its cluster when restarted', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newTokenDiscovery(3);
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
    const discovery = { token, endpoints: [service.url] };
    const first = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await first.waitUntilWaiting();

    await first.crash();
    const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
    const third = await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' });
    const serving = /ready to serve client requests/;
    await Promise.all([second, third].map((node) => scene.waitForLog(node.run, serving)));
    first.startAgain();
    await expectCluster(scene, [first, second, third]);
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`nodes that wait while the service ends by ${signal} and restarts complete their cluster`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newTokenDiscovery(3);
      const nodes = await startNodes(scene, { etcd, discovery }, 2);
      await Promise.all(nodes.map((node) => node.waitUntilWaiting()));

      await service.stop(signal);
      // Starts while the service is down, so it has to wait for it as well.
      const third = await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' });
      nodes.push(third);
      await scene.waitForLog(third.run, /retry connecting to discovery service/);
      await service.startAgain();

      // Fails if any of them restarted or ended.
      await expectCluster(scene, nodes);
    });
  }

  for (const fault of ['cut', 'stall'] as const) {
    const broken = fault === 'cut' ? 'cut' : 'stalled';
    it(`nodes whose connections are ${broken} while they wait receive what they missed`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const direct = await service.newTokenDiscovery(3);
      const proxy = await TcpProxy.open(scene, service.url);
      const discovery = { ...direct, endpoints: [proxy.url] };
      const nodes = await startNodes(scene, { etcd, discovery }, 2);
      await Promise.all(nodes.map((node) => node.waitUntilWaiting()));
      await scene.until('both to be connected', () => (proxy.connections >= 2 ? true : undefined));

      proxy[fault]();
      const third = await EtcdNode.start(scene, { etcd, discovery: direct, name: 'infra3' });
      nodes.push(third);
      await scene.waitForLog(third.run, /discovery joined cluster successfully/);
      for (const node of nodes.slice(0, 2)) {
        assert.doesNotMatch(node.run.log, /found all needed peers/, 'the proxy broke the connections');
      }
      proxy.restore();
      await expectCluster(scene, nodes);
    });
  }
}, 'V3');

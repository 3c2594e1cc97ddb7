import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { etcdOf, forEachEtcd } from '../harness/versions.ts';

const FULL = /discovery: cluster is full/;

await forEachEtcd((it) => {
  it('three nodes form a cluster with --discovery-token, and a fourth learns that it is full', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newTokenDiscovery(3);
    const nodes = await startNodes(scene, { etcd, discovery }, 3);
    await expectCluster(scene, nodes);

    const fourth = await EtcdNode.start(scene, { etcd, discovery, name: 'infra4' });
    const { code } = await scene.waitForEnd(fourth.run);
    assert.equal(code, 1);
    assert.match(fourth.run.log, FULL);
    await expectCluster(scene, nodes);
  });

  it('of four nodes started at once for three slots, three form the cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newTokenDiscovery(3);
    const nodes = await startNodes(scene, { etcd, discovery }, 4);
    const isFull = (node: EtcdNode): boolean => FULL.test(node.run.log);
    await scene.until('one node to find the cluster full', () => (nodes.some(isFull) ? true : undefined));
    const members = nodes.filter((node) => !isFull(node));
    assert.equal(members.length, 3);
    await expectCluster(scene, members);
  });

  for (const size of [1, 5]) {
    it(`a cluster of size ${size} forms when all nodes start at once`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newTokenDiscovery(size);
      await expectCluster(scene, await startNodes(scene, { etcd, discovery }, size));
    });
  }

  for (const size of [3, 5]) {
    it(`${size} nodes started one by one form a cluster`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newTokenDiscovery(size);
      const nodes: EtcdNode[] = [];
      for (let count = 1; count <= size; count++) {
        const node = await EtcdNode.start(scene, { etcd, discovery, name: `infra${count}` });
        nodes.push(node);
        if (count < size) await node.waitUntilWaiting();
      }
      await expectCluster(scene, nodes);
    });
  }

  it('nodes with several peer URLs, and endpoints without a scheme, form a cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const { token } = await service.newTokenDiscovery(3);
    const discovery = { token, endpoints: [new URL(service.url).host] };
    await expectCluster(scene, await startNodes(scene, { etcd, discovery, peerUrlCount: 2 }, 3));
  });

  it('nodes form a cluster with a custom token', async (scene, etcd) => {
    const service = await Service.start(scene);
    const token = await service.createToken({ token: randomUUID().toUpperCase(), size: 2 });
    const discovery = { token, endpoints: [service.url] };
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 2));
  });

  // etcd hashes the value of --discovery or --discovery-token into the cluster's id, so it has to be the same.

  it('nodes with --discovery and nodes with --discovery-token form one cluster', async (scene, etcd) => {
    // 3.7 no longer has --discovery.
    const older = etcd.series === '3.6' ? etcd : await etcdOf('3.6');
    const service = await Service.start(scene);
    const url = await service.newDiscoveryUrl(3);
    const discovery = { token: url, endpoints: [service.url] };
    const first = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await first.waitUntilWaiting();
    const second = await EtcdNode.start(scene, { etcd: older, discovery: url, name: 'infra2' });
    await second.waitUntilWaiting();
    const third = await EtcdNode.start(scene, { etcd: older, discovery, name: 'infra3' });
    await expectCluster(scene, [first, second, third]);
  });

  it('nodes of the previous series with --discovery and of this one with --discovery-token form one cluster', async (scene, etcd) => {
    const older = await etcdOf(etcd.series === '3.6' ? '3.5' : '3.6');
    const service = await Service.start(scene);
    const url = await service.newDiscoveryUrl(3);
    const discovery = { token: url, endpoints: [service.url] };
    const first = await EtcdNode.start(scene, { etcd: older, discovery: url, name: 'infra1' });
    await first.waitUntilWaiting();
    const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
    await second.waitUntilWaiting();
    const third = await EtcdNode.start(scene, { etcd: older, discovery: url, name: 'infra3' });
    await expectCluster(scene, [first, second, third]);
  });
}, 'V3');

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

// 3.6 no longer has a proxy.
const FULL = /cluster (is )?full, falling back to proxy|discovery: cluster is full/;

await forEachEtcd((it) => {
  it('three nodes form a cluster, and a fourth learns that it is full', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(3);
    const nodes = await startNodes(scene, { etcd, discovery }, 3);
    await expectCluster(scene, nodes);

    const fourth = await EtcdNode.start(scene, { etcd, discovery, name: 'infra4' });
    await scene.waitForLog(fourth.run, FULL);
    if (['3.4', '3.5'].includes(etcd.series)) {
      await scene.waitForLog(fourth.run, /v2 proxy started listening on client requests/);
      assert.equal(fourth.run.ending, undefined, 'the fourth continues as a proxy');
    } else {
      const { code } = await scene.waitForEnd(fourth.run);
      assert.equal(code, 1);
    }
    await expectCluster(scene, nodes);
  });

  it('of four nodes started at once for three slots, three form the cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const nodes = await startNodes(scene, { etcd, discovery: await service.newDiscoveryUrl(3) }, 4);
    const isFull = (node: EtcdNode): boolean => FULL.test(node.run.log);
    await scene.until('one node to find the cluster full', () => (nodes.some(isFull) ? true : undefined));
    const members = nodes.filter((node) => !isFull(node));
    assert.equal(members.length, 3);
    await expectCluster(scene, members);
  });

  it('one node forms a cluster of size 1', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(1);
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 1));
  });

  it('five nodes started at once form a cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(5);
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 5));
  });

  it('nodes started one by one form a cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(3);
    const nodes: EtcdNode[] = [];
    for (const name of ['infra1', 'infra2', 'infra3']) {
      const node = await EtcdNode.start(scene, { etcd, discovery, name });
      nodes.push(node);
      if (nodes.length < 3) await node.waitUntilWaiting();
    }
    await expectCluster(scene, nodes);
  });

  it('nodes with several peer URLs form a cluster', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newDiscoveryUrl(3);
    const nodes = await startNodes(scene, { etcd, discovery, peerUrlCount: 2 }, 3);
    await expectCluster(scene, nodes);
  });

  // The second is in etcd's own clustering guide.
  for (const directory of ['/v2/keys/_etcd/registry', '/v2/keys/discovery'])
    it(`nodes form a cluster with a custom token created and used under ${directory}`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const path = `${directory}/${randomUUID().toUpperCase()}`;
      const made = await service.fetch(`${path}/_config/size`, {
        method: 'PUT',
        body: new URLSearchParams({ value: '2' }),
      });
      assert.equal(made.status, 201, made.text);
      const discovery = `${service.url}${path}`;
      await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 2));
    });

  it('a node keeps waiting when its long polls return empty', async (scene, etcd) => {
    const service = await Service.start(scene, ['--poll-limit', '1s']);
    const discovery = await service.newDiscoveryUrl(2);
    const first = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    // Two requests that took a second or more.
    await scene.waitForLog(service.run, /("ms":\d{4}[^]*){2}/);
    const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
    await expectCluster(scene, [first, second]);
  });
});

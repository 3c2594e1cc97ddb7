import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { scrape } from '../support/scrape.ts';
import { expectCluster } from './harness/cluster.ts';
import { EtcdNode, startNodes } from './harness/node.ts';
import { Service } from './harness/service.ts';
import { forEachEtcd } from './harness/versions.ts';

const RACK = '198.51.100.7';

await forEachEtcd((it) => {
  it('nodes of an address that is at its limit are held up, and form their cluster all the same', async (scene, etcd) => {
    const service = await Service.start(scene, [
      '--trusted-proxies',
      '127.0.0.1',
      '--client-requests',
      '5/s:60',
    ]);
    const discovery = new URL(await service.newDiscoveryUrl(3));
    const refused: string[] = [];
    const proxy = createServer((incoming, response) => {
      const { method = 'GET', url = '/' } = incoming;
      const headers = { ...incoming.headers, 'x-forwarded-for': RACK };
      const outgoing = request(`${service.url}${url}`, { method, headers }, (answer) => {
        if (answer.statusCode === 503) refused.push(`${method} ${url}`);
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      response.on('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    });
    await new Promise<void>((resolve) => {
      proxy.listen(0, '127.0.0.1', resolve);
    });
    try {
      const { port } = proxy.address() as AddressInfo;
      const statuses = await Promise.all(
        Array.from(
          { length: 80 },
          async () => (await fetch(`http://127.0.0.1:${port}${discovery.pathname}`)).status,
        ),
      );
      assert.ok(statuses.includes(503), 'the address has used up what it has');
      refused.length = 0;
      discovery.port = String(port);
      await expectCluster(scene, await startNodes(scene, { etcd, discovery: discovery.href }, 3));
      assert.ok(refused.length > 0, 'a node was held up');
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });
});

for (const dialect of ['V2', 'V3'] as const) {
  await forEachEtcd((it) => {
    it(`a node that finds no room to wait gets in all the same, and the cluster forms (${dialect})`, async (scene, etcd) => {
      const service = await Service.start(scene, ['--max-watches', '1']);
      const discovery =
        dialect === 'V2' ? await service.newDiscoveryUrl(3) : await service.newTokenDiscovery(3);
      const start = (name: string): Promise<EtcdNode> => EtcdNode.start(scene, { etcd, discovery, name });
      const nodes = [await start('infra1')];
      await nodes[0]?.waitUntilWaiting();
      nodes.push(await start('infra2'));
      const refusals = async (): Promise<number> =>
        (await scrape(service.url)).get('discovery_refusals_total{reason="TOO_MANY_REQUESTS"}') ?? 0;
      await scene.until('the second one to be refused', async () =>
        (await refusals()) > 0 ? true : undefined,
      );
      await new Promise((resolve) => {
        setTimeout(resolve, 2500);
      });
      // Once a second each: one that is refused in another way tries as fast as it can.
      assert.ok((await refusals()) < 10, `${await refusals()} tries`);
      nodes.push(await start('infra3'));
      await expectCluster(scene, nodes);
    });
  }, dialect);
}

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { scrape } from '../../support/scrape.ts';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, startNodes } from '../harness/node.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

const RACK = '198.51.100.7';
const FROM_RACK = { 'x-forwarded-for': RACK };

await forEachEtcd((it) => {
  it('nodes of an address at its rate limit are delayed, and still form their cluster', async (scene, etcd) => {
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
      const headers = { ...incoming.headers, ...FROM_RACK };
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
      await scene.until('the address to reach its rate limit', async () => {
        const uses = Array.from(
          { length: 80 },
          async () => (await fetch(`http://127.0.0.1:${port}${discovery.pathname}`)).status,
        );
        return (await Promise.all(uses)).includes(503) ? true : undefined;
      });
      refused.length = 0;
      discovery.port = String(port);
      const nodes = await startNodes(scene, { etcd, discovery: discovery.href }, 3);
      // However slowly they start, the limit is reached again when they register.
      await scene.until('the service to delay a node', async () => {
        const uses = Array.from({ length: 20 }, () =>
          fetch(`${service.url}/version`, { headers: FROM_RACK }),
        );
        for (const use of uses) await (await use).text();
        return refused.length > 0 ? true : undefined;
      });
      await expectCluster(scene, nodes);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });
});

for (const dialect of ['V2', 'V3'] as const) {
  await forEachEtcd((it) => {
    it(`a node that exceeds the limit of waits gets in later, and the cluster forms (${dialect})`, async (scene, etcd) => {
      const service = await Service.start(scene, ['--max-watches', '1']);
      const discovery =
        dialect === 'V2' ? await service.newDiscoveryUrl(3) : await service.newTokenDiscovery(3);
      const start = (name: string): Promise<EtcdNode> => EtcdNode.start(scene, { etcd, discovery, name });
      const nodes = [await start('infra1')];
      await nodes[0]?.waitUntilWaiting();
      nodes.push(await start('infra2'));
      const refusals = async (): Promise<number> =>
        (await scrape(service.url)).get('discovery_refusals_total{reason="TOO_MANY_REQUESTS"}') ?? 0;
      await scene.until('the service to reject the second node', async () =>
        (await refusals()) > 0 ? true : undefined,
      );
      const [begin, before] = [performance.now(), await refusals()];
      await new Promise((resolve) => {
        setTimeout(resolve, 2500);
      });
      // Once a second each. After another kind of rejection a node would retry as fast as it can.
      const tries = (await refusals()) - before;
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(tries < 4 * seconds, `${tries} attempts in ${seconds} s`);
      nodes.push(await start('infra3'));
      await expectCluster(scene, nodes);
    });
  }, dialect);
}

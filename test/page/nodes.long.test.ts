import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdNode } from '../etcd/harness/node.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { waitFor } from '../support/wait.ts';
import { CHROMIUM, launch, openTab, sees } from './browser.ts';
import { builtAssets } from './html.ts';

const etcd = await installedEtcd();

test('a user creates a token and watches real nodes form the cluster, across a restart of the service', {
  skip: CHROMIUM.missing ?? etcd.missing,
}, async (t) => {
  if (etcd.missing !== undefined) return;
  builtAssets();
  const scene = await Scene.open(t);
  const service = await Service.start(scene);
  const browser = await launch();
  t.after(() => browser.close());
  // Console messages about the lost stream, and about attempts while the service is down.
  const bear =
    /ERR_CONNECTION_\w+|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED|status of 503/;
  const tab = await openTab(browser, service.url, { bear });
  const { page } = tab;
  await page.getByLabel('Nodes').fill('3');
  await page.getByLabel('Description').fill('three real nodes');
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByRole('heading', { name: 'three real nodes', level: 1 }).waitFor();
  const discovery = page.url();
  await sees(page, 'Live');
  await sees(page, '0 of 3 nodes registered, 3 missing.');

  const start = (name: string): Promise<EtcdNode> => EtcdNode.start(scene, { etcd, name, discovery });
  const first = await start('infra1');
  await sees(page, '1 of 3 nodes registered, 2 missing.');
  const slots = page.locator('#members li');
  assert.match(
    await slots.nth(0).innerText(),
    new RegExp(`infra1\\s+${first.peerUrls[0]}\\s+ID [0-9a-f]+\\s+Registered \\d\\d:\\d\\d`),
  );
  assert.match(await slots.nth(1).innerText(), /Free/);
  assert.equal(await page.title(), '1/3 three real nodes');
  await waitFor('the announcement to a screen reader', async () => {
    const said = await page.locator('#announcer').textContent();
    return said === 'infra1 registered. 1 of 3 nodes registered, 2 missing.';
  });

  // Focus and input survive while others join.
  const name = page.getByLabel('Node name');
  await name.fill('infra9');
  await name.press('End');
  const second = await start('infra2');
  await sees(page, '2 of 3 nodes registered, 1 missing.');
  await name.press('0');
  assert.equal(await name.inputValue(), 'infra90');
  assert.match((await page.locator('#start-text').textContent()) ?? '', /--name=infra90 /);

  await service.stop('SIGTERM');
  await sees(page, 'Reconnecting');
  await sees(page, '2 of 3 nodes registered, 1 missing.');
  await service.startAgain();
  await sees(page, 'Live');
  const third = await start('infra3');
  await sees(page, 'All 3 nodes have registered.');
  await sees(page, 'Complete');
  assert.equal(await page.title(), '3/3 three real nodes');
  const list = await service.call('ListMembers', { token: new URL(discovery).pathname.slice(1) });
  assert.equal(await page.locator('#initial-cluster').textContent(), list['initialCluster']);
  assert.ok(
    [first, second, third].every((node) => String(list['initialCluster']).includes(String(node.peerUrls[0]))),
  );
  // The typed name belongs to a registered node now, at an address that the user did not enter.
  assert.equal(await page.locator('#start-text').isVisible(), false, 'no next node to start');
  await page.getByLabel('IP address').fill('10.9.9.9');
  await page.getByText('#$ etcdctl').waitFor();
  const calls = tab.requests.filter((request) => request.includes('DiscoveryService'));
  assert.ok(
    calls.every((call) => call.includes('/WatchMembers')),
    `only one stream: ${calls.join(' ')}`,
  );
  await tab.close();
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startNodes } from '../etcd/harness/node.ts';
import { freePorts } from '../etcd/harness/ports.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { PACKAGES, startNginxBelowPath } from '../proxies/proxies.ts';
import { needCommands } from '../support/debian.ts';
import { CHROMIUM, launch, openTab, sees } from './browser.ts';
import { builtAssets, openAsBrowser } from './html.ts';

const etcd = await installedEtcd();
const skip = CHROMIUM.missing ?? etcd.missing ?? (await needCommands({ nginx: PACKAGES.nginx })) ?? false;

/** Starts a service startBelow `/disc` of nginx, which strips the path or keeps it. Returns it with its configured URL. */
async function startBelow(
  scene: Scene,
  proxy: 'stripped' | 'kept',
): Promise<{ readonly base: string; readonly service: Service }> {
  const [stripped = 0, kept = 0] = await freePorts(2);
  const base = `http://127.0.0.1:${proxy === 'stripped' ? stripped : kept}/disc`;
  const service = await Service.start(scene, ['--host', base]);
  await startNginxBelowPath(scene, new URL(service.url).host, { stripped, kept });
  return { base, service };
}

const PROXIES = { stripped: 'that takes it off', kept: 'that keeps it' } as const;

for (const proxy of ['stripped', 'kept'] as const) {
  describe(`startBelow a path of a proxy ${PROXIES[proxy]}`, { skip }, () => {
    test('real nodes form a cluster, which the page shows', async (t) => {
      if (etcd.missing !== undefined) return;
      builtAssets();
      const scene = await Scene.open(t);
      const { base } = await startBelow(scene, proxy);
      const browser = await launch();
      t.after(() => browser.close());
      const tab = await openTab(browser, `${base}/`, { bear: /status of 400/ });
      const { page } = tab;
      await page.getByLabel('Nodes').fill('5000');
      await page.getByRole('button', { name: 'Create token' }).click();
      await sees(page, 'not 5000');
      await page.getByLabel('Nodes').fill('2');
      await page.getByRole('button', { name: 'Create token' }).click();
      await sees(page, 'Live');
      const discovery = page.url();
      assert.match(discovery, new RegExp(`^${base}/[0-9a-f]{32}$`));
      await sees(page, `--discovery=${discovery}`);
      await startNodes(scene, { etcd, discovery }, 2);
      await sees(page, 'All 2 nodes have registered.');
      await page.getByRole('link', { name: 'etcd discovery' }).click();
      await sees(page, `curl '${base}/new?size=3'`);
      await tab.close();
      const outside = tab.requests.filter((each) => !each.includes('/disc/'));
      assert.deepEqual(outside, [], 'no request leaves the path');
    });

    test('every text and redirect contains the path, for programs and for browsers without scripts', async (t) => {
      const scene = await Scene.open(t);
      const { base } = await startBelow(scene, proxy);
      const text = async (path: string, init?: RequestInit): Promise<string> =>
        (await fetch(`${base}${path}`, init)).text();
      const made = (await text('/new?size=1', { method: 'PUT' })).trim();
      assert.match(made, new RegExp(`^${base}/[0-9a-f]{32}$`));
      const token = made.slice(base.length + 1);
      const home = await text('/');
      const pages = [
        home,
        await (await openAsBrowser(`${base}/`)).text(),
        await (await openAsBrowser(made)).text(),
      ];
      for (const page of pages) {
        const urls = page.match(/http:\/\/127\.0\.0\.1:\d+[^\s'"<&]*/g) ?? [];
        // etcd's gRPC client uses the endpoint's host and port and drops its path. Peers have example addresses.
        const others = urls.filter((url) => !url.startsWith(base) && !/127\.0\.0\.1:(2379|2380)/.test(url));
        const endpoints = others.filter((url) => url !== new URL(base).origin);
        assert.deepEqual(endpoints, []);
        assert.ok(page.includes(base));
      }
      assert.ok(home.includes(`${base}/discovery.v1.DiscoveryService/CreateToken`));
      const unknown = await text('/nobody-made-this/_config/size');
      assert.match(unknown, new RegExp(`curl '${base}/new\\?size=3'`));
      const list = JSON.parse(await text(`/${token}`)) as { action: string };
      assert.equal(list.action, 'get');
      const moved = await fetch(`${base}//${token}/./_config`, { redirect: 'manual' });
      if (moved.status === 301) {
        const location = new URL(moved.headers.get('location') ?? '', base).href;
        assert.ok(location.startsWith(`${base}/`), location);
      }
      const api = await text('/discovery.v1.DiscoveryService/GetCluster', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
      assert.match(api, /"size":1/);
    });
  });
}

test('the path without a trailing slash redirects to the page', { skip }, async (t) => {
  const scene = await Scene.open(t);
  const service = await Service.start(scene, ['--host', 'https://disc.example.com/disc']);
  const answer = await fetch(`${service.url}/disc`, { redirect: 'manual' });
  assert.deepEqual([answer.status, answer.headers.get('location')], [301, '/disc/']);
  const double = await fetch(`${service.url}/disc//token/`, { redirect: 'manual' });
  assert.deepEqual([double.status, double.headers.get('location')], [301, '/disc/token/']);
  const other = await fetch(`${service.url}/discovery`);
  assert.equal(other.status, 404, 'a token that starts like the path is another token');
});

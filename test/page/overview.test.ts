import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { LIST_LIMITS } from '../../src/limits.ts';
import { issueCredential } from '../../src/server/clients/auth-file.ts';
import { infra } from '../rpc/calls.ts';
import { onlyInLongRuns } from '../slow.ts';
import { type RunningService, startService } from '../support/service.ts';
import { CHROMIUM, launch, openTab, sees, type TabOptions } from './browser.ts';
import { expectGood, LOOKS_DIFFER } from './good.ts';
import { builtAssets, openAsBrowser } from './html.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
const file = join(directory, 'callers');
const [ops, ada] = [issueCredential('ops', 'OPERATOR'), issueCredential('ada')];
writeFileSync(file, `${ops.line}\n${ada.line}\n`);
const HOUR = 3_600_000;

function basic(name: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` };
}

suite('the clusters page', () => {
  let service: RunningService;
  let maker: DiscoveryClient;
  let stuck: string;
  let forming: string;
  let complete: string;

  /** Creates a token dated `ago` ms in the past. */
  const make = async (ago: number, request: Parameters<DiscoveryClient['createToken']>[0]) => {
    const { discovery } = service;
    const { now } = discovery;
    Object.assign(discovery, { now: () => Date.now() - ago });
    const { cluster } = await maker.createToken(request);
    Object.assign(discovery, { now });
    return cluster?.token ?? '';
  };

  before(async () => {
    service = await startService({}, { auth: { mode: 'create', file } });
    maker = createDiscoveryClient(service.url, { headers: { Authorization: `Bearer ${ada.secret}` } });
    stuck = await make(2 * HOUR, { size: 3, description: '<img src=x onerror=alert(1)>' });
    await maker.register({ token: stuck, ...infra(1), name: '<b>' });
    await maker.register({ token: stuck, ...infra(2), peerUrls: ['https://10.0.0.2:2380'] });
    forming = await make(0, { size: 5, description: 'young' });
    complete = await make(HOUR, { size: 1, description: 'whole' });
    await maker.register({ token: complete, ...infra(1) });
    await maker.deleteToken({ token: await make(0, { size: 1, description: 'gone' }) });
  });
  after(async () => {
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const asOps = basic('ops', ops.secret);
  const textOf = async (path: string): Promise<string> => {
    const page = await openAsBrowser(`${service.url}/${path}`, { headers: asOps });
    assert.equal(page.status, 200);
    return page.text();
  };
  /** Returns the HTML of one part of the page. */
  const part = (html: string, id: string): string =>
    new RegExp(`<section id="${id}".*?</section>`, 's').exec(html)?.[0] ?? '';

  test('rejects callers who are not operators, and says how to become one', async () => {
    for (const [headers, status] of [
      [{}, 401],
      [basic('eve', 'no such secret'), 401],
      [basic('ada', ops.secret), 401],
      [basic('ada', ada.secret), 403],
    ] as const) {
      for (const path of ['_clusters', '_clusters?state=complete', '_clusters?page=x']) {
        const page = await openAsBrowser(`${service.url}/${path}`, { headers });
        assert.equal(page.status, status);
        assert.equal(page.headers.get('www-authenticate')?.startsWith('Basic ') ?? false, status === 401);
        const text = await page.text();
        assert.match(text, /credential NAME --operator/);
        for (const secret of [stuck, forming, complete, 'young']) assert.ok(!text.includes(secret));
      }
    }
    const bearer = await openAsBrowser(`${service.url}/_clusters`, {
      headers: { authorization: `Bearer ${ops.secret}` },
    });
    assert.equal(bearer.status, 200);
  });

  test('is never cached or framed, sends no referrer, and changes nothing', async () => {
    const { headers } = await openAsBrowser(`${service.url}/_clusters`, { headers: asOps });
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const posted = await openAsBrowser(`${service.url}/_clusters`, { method: 'POST', headers: asOps });
    assert.equal(posted.status, 405);
    const head = await openAsBrowser(`${service.url}/_clusters`, { method: 'HEAD', headers: asOps });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const logged = service.logged.join('');
    assert.ok(logged.includes('"/_clusters"') && !logged.includes(ops.secret));
    for (const token of [stuck, forming, complete]) assert.ok(!logged.includes(token));
  });

  test('shows which clusters are stuck and why, which are forming or complete, and links to each', async () => {
    const html = await textOf('_clusters');
    const of = part(html, 'stuck');
    assert.ok(of.includes(`href="./${stuck}"`) && !of.includes(forming) && !of.includes(complete));
    assert.match(of, /2\/3.*1 missing.*no new nodes for .*&lt;b&gt;.*infra2/s);
    assert.match(of, /https/, 'a warning about its addresses');
    assert.match(of, /2 hours ago by ada/);
    assert.ok(!html.includes('<img') && !html.includes('<b>&'), 'text is escaped');
    const young = part(html, 'forming');
    assert.ok(young.includes(`href="./${forming}"`) && !young.includes(stuck));
    const done = part(html, 'complete');
    assert.ok(done.includes(`href="./${complete}"`) && done.includes('1/1'));
    assert.ok(!html.includes('gone'));
    const token = await openAsBrowser(`${service.url}/${stuck}`, { headers: asOps });
    assert.equal(token.status, 200);
  });

  test('lists all clusters in a state, page by page', async () => {
    assert.match(await textOf('_clusters?state=deleted'), /gone/);
    assert.ok(!(await textOf('_clusters?state=complete')).includes('gone'));
    const more = LIST_LIMITS.clusters + 5;
    const made: string[] = [];
    for (let i = 0; i < more; i++) made.push(await make(0, { size: 2, description: `of many ${i}.` }));
    const found: string[] = [];
    let path: string | undefined = '_clusters?state=assembling';
    for (let pages = 0; path !== undefined && pages < 5; pages++) {
      const html = await textOf(path);
      found.push(...[...html.matchAll(/href="\.\/([0-9a-f]{32})"/g)].map(([, token = '']) => token));
      path = /href="(_clusters\?state=assembling&amp;page=[^"]+)"/.exec(html)?.[1]?.replace('&amp;', '&');
    }
    assert.deepEqual(found.toSorted(), [...made, stuck, forming].toSorted());
    const wrong = await openAsBrowser(`${service.url}/_clusters?state=complete&page=x`, { headers: asOps });
    assert.equal(wrong.status, 400);
  });

  describe('in a browser', { skip: CHROMIUM.missing ?? onlyInLongRuns }, () => {
    let browser: Browser;
    before(async () => {
      builtAssets();
      browser = await launch();
    });
    after(() => browser?.close());

    const LOOKS: Readonly<Record<string, TabOptions>> = {
      light: {},
      dark: { colorScheme: 'dark' },
      'a narrow phone': { viewport: { width: 320, height: 640 } },
    };
    for (const [look, options] of Object.entries(LOOKS)) {
      test(`is accessible and not cut off, without a script: ${look}`, async () => {
        const httpCredentials = { username: 'ops', password: ops.secret };
        // axe-core is one.
        const tab = await openTab(browser, `${service.url}/_clusters`, {
          ...options,
          httpCredentials,
          bear: /status of 401/,
        });
        await sees(tab.page, '1 missing');
        assert.equal(await tab.page.locator('script').count(), 0);
        await expectGood(tab.page, '/_clusters', look === 'light' ? undefined : LOOKS_DIFFER);
        await tab.page.getByRole('link', { name: 'Complete', exact: false }).first().click();
        await expectGood(tab.page, '?state=complete', look === 'light' ? undefined : LOOKS_DIFFER);
        await tab.page.getByRole('link', { name: 'whole' }).click();
        await sees(tab.page, 'The node has registered.');
        await tab.close();
      });
    }
  });
});

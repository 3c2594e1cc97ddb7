import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { RegisterMode, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import { SpawnedService } from '../support/child.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { TLS_ARGS } from '../tls/files.ts';
import { CHROMIUM, launch, openTab, sees, shown, type TabOptions } from './browser.ts';
import { expectGood, LOOKS_DIFFER } from './good.ts';
import { builtAssets } from './html.ts';

describe('the page in a browser', { skip: CHROMIUM.missing ?? false }, () => {
  let service: RunningService;
  let browser: Browser;
  before(async () => {
    builtAssets();
    service = await startService({ minTtl: 1 });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
  });

  const newToken = async (
    request: Parameters<RunningService['client']['createToken']>[0] = {},
  ): Promise<string> => {
    const { cluster } = await service.client.createToken({ size: 3, ...request });
    return cluster?.token ?? '';
  };
  const register = async (token: string, ...names: string[]): Promise<void> => {
    for (const name of names) {
      const host = `node-${Buffer.from(name).toString('hex').slice(0, 40)}`;
      await service.client.register({
        token,
        memberId: host,
        name,
        peerUrls: [`http://${host}:2380`],
        whenFull: WhenFull.STANDBY,
      });
    }
  };

  test('a copy button copies the commands and keeps the focus', async () => {
    const token = await newToken();
    const tab = await openTab(browser, `${service.url}/${token}`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page } = tab;
    await page.getByRole('radio', { name: '3.7' }).check();
    await page.getByRole('radio', { name: 'Environment' }).check();
    await page.getByLabel('IP address').fill('10.1.2.3');
    const copy = page.getByRole('button', { name: 'Copy for etcd 3.7, as Environment' });
    await linesHave(page, /10\.1\.2\.3/);
    const said = await firstSaid(page);
    await copy.press('Enter');
    await waitFor('the button to say Copied', async () => (await said()) === 'Copied');
    await register(token, 'infra1');
    await sees(page, '1 of 3 nodes registered, 2 missing.');
    assert.equal(await page.evaluate("document.activeElement.classList.contains('copy')"), true);
    const copied = String(await page.evaluate('navigator.clipboard.readText()'));
    assert.match(copied, new RegExp(`^ETCD_DISCOVERY_TOKEN=${token}$`, 'm'));
    assert.match(copied, /^ETCD_INITIAL_ADVERTISE_PEER_URLS=http:\/\/10\.1\.2\.3:2380$/m);
    await tab.close();
  });

  test('a copy button keeps its "Copied" label while the page redraws', async () => {
    const token = await newToken();
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await sees(page, 'Live');
    // Simulates the label after a press, for longer than a redraw takes.
    await page.evaluate(`for (const button of document.querySelectorAll('.copy')) {
      button.textContent = 'Copied';
      button.setAttribute('data-said', '');
    }`);
    await register(token, 'infra1');
    await sees(page, '1 of 3 nodes registered, 2 missing.');
    assert.equal(await page.locator('.copy:visible').first().textContent(), 'Copied');
    await tab.close();
  });

  test('copying works in a browser without the clipboard API', async () => {
    const tab = await openTab(browser, `${service.url}/${await newToken({ size: 1 })}`);
    const { page } = tab;
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    const said = await firstSaid(page);
    await page.getByRole('button', { name: /^Copy for etcd/ }).click();
    await waitFor('the button to say Copied', async () => (await said()) === 'Copied');
    assert.match(String(await page.evaluate('getSelection().toString()')), /^etcd /);
    await tab.close();
  });

  test('one button copies the token URL, or selects it when the browser forbids copying', async () => {
    const token = await newToken();
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    const said = (): Promise<string | null> => page.locator('#announcer').textContent();
    await sees(page, 'Live');
    const copy = page.getByRole('button', { name: 'Copy the token URL' });
    await copy.click();
    await waitFor(
      'the announcement to a screen reader',
      async () => (await said()) === 'Copied the token URL.',
    );
    // A browser that allows neither way of copying.
    await page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.execCommand = () => false; getSelection().removeAllRanges()`);
    await copy.click();
    await waitFor(
      'the announcement of the keys to press',
      async () => (await said())?.includes('Ctrl+C') === true,
    );
    assert.equal(await page.evaluate('getSelection().toString()'), `${service.url}/${token}`);
    await tab.close();
  });

  test('a token opened with its secret updates live, and the secret is in no URL', async () => {
    const { cluster, secrets } = await service.client.createToken({ size: 2, guard: [Access.JOIN] });
    const [token = '', secret = ''] = [cluster?.token, secrets[0]?.secret];
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await page.getByLabel('Secret').fill(secret);
    await page.getByRole('button', { name: 'Open with secret' }).click();
    await sees(page, 'This URL contains the secret.');
    await sees(page, 'Live');
    await sees(page, `--discovery=${service.url}/${token}:${secret}`);
    await register(`${token}:${secret}`, 'infra1');
    await sees(page, '1 of 2 nodes registered, 1 missing.');
    await tab.close();
    assert.ok(tab.requests.every((request) => !request.includes(secret)));
  });

  test('an open page reports that its token was deleted, and who had registered', async () => {
    const token = await newToken();
    await register(token, 'infra1');
    const tab = await openTab(browser, `${service.url}/${token}`);
    await sees(tab.page, 'Live');
    await service.client.deleteToken({ token });
    await sees(tab.page, 'The token was deleted before the cluster was complete.');
    await sees(tab.page, 'infra1');
    await tab.page.getByRole('link', { name: 'Create a new token' }).click();
    await sees(tab.page, 'Create token');
    await tab.close();
  });

  test('an open page reports that its token expired', async () => {
    for (let seconds = 5n, wasLive = false; !wasLive; seconds *= 4n) {
      const token = await newToken({ ttl: { seconds } });
      const tab = await openTab(browser, `${service.url}/${token}`, { bear: /status of 410/ });
      const { page } = tab;
      const live = shown(page, 'Live');
      const expired = shown(page, 'The token has expired: 0 of 3 nodes registered, 3 missing.');
      await live.or(expired).first().waitFor();
      // On a busy machine the page may open too late: try once more with a longer lifetime.
      wasLive = await live.isVisible();
      await expired.waitFor();
      if (wasLive) assert.equal(await page.title(), 'Expired: etcd cluster');
      await tab.close();
    }
  });

  test('the page shows deregistrations, replacements and standbys', async () => {
    const token = await newToken({ size: 2 });
    await register(token, 'a');
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await sees(page, 'Live');
    await service.client.deregister({ token, memberId: 'node-61' });
    await sees(page, '2 missing');
    await register(token, 'b');
    const replacement = { token, memberId: 'node-62', name: 'b2', peerUrls: ['http://b2:1'] };
    await service.client.register({ ...replacement, mode: RegisterMode.REPLACE });
    await sees(page, 'http://b2:1');
    await register(token, 'c', 'd');
    await sees(page, 'b2=http://b2:1,c=http://node-63:2380');
    await waitFor('the standby', () => page.locator('#standbys').isVisible());
    assert.match(await page.locator('#standbys li').innerText(), /\bd\b/);
    await tab.close();
  });

  test('the page rejects an invalid address and keeps the placeholder in the commands', async () => {
    const tab = await openTab(browser, `${service.url}/${await newToken()}`);
    const { page } = tab;
    await page.getByLabel('IP address').fill('10.0.0.999');
    await sees(page, 'IP address: must be an IP address');
    await linesHave(page, /http:\/\/<IP>:2380/);
    await page.getByLabel('IP address').fill('fd00::5');
    await linesHave(page, /http:\/\/\[fd00::5\]:2380/);
    assert.equal(await page.getByText('must be an IP address').count(), 0);
    await tab.close();
  });

  test('a hidden tab closes its stream and resumes when shown', async () => {
    const token = await newToken();
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    const hide = (hidden: boolean): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await sees(page, 'Live');
    await waitFor('the watch', () => service.discovery.watchers() === 1);
    await page.clock.install();
    await hide(true);
    await register(token, 'infra1');
    await page.clock.fastForward(60_000);
    await waitFor('the title of a tab in the background', async () => (await page.title()).startsWith('1/3'));
    await page.clock.fastForward(5 * 60_000);
    await sees(page, 'Paused');
    await waitFor('the watch to end', () => service.discovery.watchers() === 0);
    await register(token, 'infra2');
    await hide(false);
    await sees(page, 'Live');
    await sees(page, '2 of 3 nodes registered, 1 missing.');
    await tab.close();
  });

  test('a tab opened in the background closes its stream, and a deleted token ends it', async () => {
    const token = await newToken();
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await page.clock.install();
    const open = async (): Promise<void> => {
      await page.addInitScript(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true })",
      );
      await page.reload();
      await waitFor('the watch', () => service.discovery.watchers() === 1);
    };
    await open();
    await page.clock.fastForward(6 * 60_000);
    await sees(page, 'Paused');
    await waitFor('the watch to end', () => service.discovery.watchers() === 0);
    await open();
    await service.client.deleteToken({ token });
    await page.clock.fastForward(60_000);
    await waitFor('the title', async () => (await page.title()).startsWith('Deleted'));
    await page.clock.fastForward(6 * 60_000);
    assert.equal(await page.locator('#connection').textContent(), '');
    await tab.close();
  });

  test('the page works over TLS and HTTP/2', async (t) => {
    const secure = await SpawnedService.start(TLS_ARGS);
    t.after(() => secure.remove());
    const tab = await openTab(browser, secure.url, { ignoreHTTPSErrors: true });
    const { page } = tab;
    await page.getByRole('button', { name: 'Create token' }).click();
    await sees(page, 'Live');
    await sees(page, `--discovery=https://`);
    const protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
    assert.equal(await page.evaluate(protocol), 'h2');
    await tab.close();
  });

  test('the focus moves to the new content when the focused part disappears', async () => {
    const token = await newToken({ size: 1 });
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await page.getByLabel('Node name').fill('infra1');
    await service.client.deleteToken({ token });
    await sees(page, 'The token was deleted before the cluster was complete.');
    assert.equal(await page.evaluate('document.activeElement.id'), 'ended-title');
    await tab.close();
  });

  test('missing values are placeholders, and no command uses the name of another member', async () => {
    const token = await newToken();
    await register(token, 'infra2');
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await linesHave(page, /--name=<NODE NAME> .*:\/\/<IP>:2380 /s);
    await page.getByLabel('Node name').fill('infra2');
    await sees(page, 'infra2 is already the member at');
    assert.equal(await page.locator('#start-text').isVisible(), false);
    await page.getByLabel('Node name').fill('infra3');
    await linesHave(page, /--name=infra3 /);
    await page.getByText('Ports, directories').click();
    await page.getByLabel('Client port').fill('2380');
    await sees(page, 'client-port and peer-port are both 2380');
    await tab.close();
  });

  test('text from hostile members is escaped', async () => {
    const token = await newToken({ description: '<img src=x onerror=alert(1)>' });
    const names = [
      '<script>alert(1)</script>',
      '"><svg/onload\u00a0alert(1)>'.replace('\u00a0', '-'),
      "';alert(1)//",
    ];
    await register(token, names[0] ?? '');
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await sees(page, 'Live');
    await register(token, ...names.slice(1));
    await sees(page, 'All 3 nodes have registered.');
    assert.deepEqual(await page.locator('#members .name').allTextContents(), names);
    assert.equal(await page.locator('main script, main img, main [onload], #members svg').count(), 0);
    assert.ok((await page.title()).includes('<img src=x'));
    await tab.close();
  });

  test('the page shows all of a thousand members that register at once', async () => {
    const size = 1000;
    const token = await newToken({ size });
    const tab = await openTab(browser, `${service.url}/${token}`);
    const { page } = tab;
    await sees(page, 'Live');
    const indexes = Array.from({ length: size }, (_, index) => index);
    // In batches, so that a busy machine answers each request before its client times out.
    for (let from = 0; from < size; from += 100) {
      const calls = indexes
        .slice(from, from + 100)
        .map((i) =>
          service.client.register({ token, memberId: `m${i}`, name: `n${i}`, peerUrls: [`http://h${i}:1`] }),
        );
      await Promise.all(calls);
    }
    await sees(page, 'All 1000 nodes have registered.');
    const names = await page.locator('#members .name').allTextContents();
    assert.deepEqual(new Set(names), new Set(indexes.map((i) => `n${i}`)));
    assert.equal(names.length, size);
    await tab.close();
  });

  test('without JavaScript the form works and the page is readable', async () => {
    const tab = await openTab(browser, service.url, { javaScriptEnabled: false });
    const { page } = tab;
    await page.getByLabel('Nodes').fill('2');
    await page.getByRole('button', { name: 'Create token' }).click();
    await sees(page, '0 of 2 nodes registered, 2 missing.');
    const token = new URL(page.url()).pathname.slice(1);
    await register(token, 'infra1');
    await page.reload();
    await sees(page, '1 of 2 nodes registered, 1 missing.');
    await sees(page, 'infra1');
    await sees(page, `--discovery=${page.url()}`);
    await sees(page, `--discovery-token=${token}`);
    assert.equal(await page.locator('button:visible').count(), 0, 'no button without an effect');
    await register(token, 'infra2');
    await page.reload();
    await sees(page, 'infra1=http://node-696e66726131:2380,infra2=http://node-696e66726132:2380');
    await tab.close();
  });

  test('the keyboard reaches every control, starting with the skip link', async () => {
    const tab = await openTab(browser, `${service.url}/${await newToken()}`);
    const { page } = tab;
    await sees(page, 'Live');
    const reached: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        String(
          await page.evaluate(
            'document.activeElement.name || document.activeElement.className || document.activeElement.id',
          ),
        ),
      );
    }
    assert.deepEqual(reached.slice(0, 11), [
      'skip',
      'brand',
      'token-url',
      'copy',
      'etcd',
      'format',
      'name',
      'ip',
      'more-title',
      'start-text',
      'copy',
    ]);
    await page.getByRole('radio', { name: '3.5' }).press('ArrowRight');
    await linesHave(page, /--discovery-token=[0-9a-f]{32} /);
    await page.getByRole('checkbox').press('Space');
    await linesHave(page, /--discovery-token=http/);
    await tab.close();
  });

  const LOOKS: Readonly<Record<string, TabOptions>> = {
    light: {},
    dark: { colorScheme: 'dark' },
    'a narrow phone': { viewport: { width: 320, height: 640 } },
  };
  for (const [look, options] of Object.entries(LOOKS)) {
    test(`the page is accessible and not cut off: ${look}`, async () => {
      const live = await newToken({ description: 'staging', size: 5 });
      await register(live, 'infra1', 'n'.repeat(253));
      const complete = await newToken({ size: 1 });
      await register(complete, 'infra1', 'late');
      const deleted = await newToken();
      await service.client.deleteToken({ token: deleted });
      const expired = await newToken({ ttl: { nanos: 1_000_000 } });
      const guarded = await newToken({ guard: [Access.READ] });
      const joined = await newToken({ guard: [Access.JOIN] });
      const tokens = [live, complete, deleted, expired, guarded, joined, 'nobody-made-this'];
      for (const path of ['', ...tokens, '_page/new', 'new?size=abc', `${live}/nobody`]) {
        const bear = /status of 4\d\d/;
        const tab = await openTab(browser, `${service.url}/${path}`, { ...options, bear });
        if (path === live || path === complete) await sees(tab.page, 'Live');
        if (path === '_page/new') await refuseForm(tab.page);
        await expectGood(tab.page, `/${path}`, look === 'light' ? undefined : LOOKS_DIFFER);
        await tab.close();
      }
    });
  }
});

async function refuseForm(page: Page): Promise<void> {
  await page.getByLabel('Nodes').fill('5000');
  await page.getByRole('button', { name: 'Create token' }).click();
  await sees(page, 'not 5000');
}

/** Waits until the commands match the pattern. */
async function linesHave(page: Page, pattern: RegExp): Promise<void> {
  const lines = page.locator('#start-text');
  await waitFor(`commands like ${pattern}`, async () => pattern.test((await lines.textContent()) ?? ''));
}

/** Records the first label of a copy button from now on, inside the page: the label lasts only two seconds. */
async function firstSaid(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(`globalThis.said = '';
    new MutationObserver((changes) => {
      for (const { target } of changes) if (target.matches('.copy')) globalThis.said ||= target.textContent;
    }).observe(document.body, { childList: true, subtree: true })`);
  return () => page.evaluate<string>('said');
}

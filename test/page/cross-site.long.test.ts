import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { issueCredential } from '../../src/server/clients/auth-file.ts';
import { type RunningService, startService } from '../support/service.ts';
import { CHROMIUM, launch } from './browser.ts';

describe('another site in a browser that stores credentials of the service', {
  skip: CHROMIUM.missing ?? false,
}, () => {
  let service: RunningService;
  let browser: Browser;
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const ada = issueCredential('ada');
  before(async () => {
    const file = join(directory, 'callers');
    writeFileSync(file, `${ada.line}\n`);
    service = await startService({}, { auth: { mode: 'all', file } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('creates nothing by a link, a form, an image or a script, unlike a user who enters the address', async (t) => {
    const { port } = service;
    const site = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<a href="http://localhost:${port}/new?size=3">win</a>
        <form method="post" action="http://localhost:${port}/new"><input name="size" value="3"><button>Go</button></form>
        <img src="http://localhost:${port}/new?size=4" alt="">`);
    });
    await new Promise<void>((resolve) => {
      site.listen(0, '127.0.0.1', resolve);
    });
    t.after(() => site.close());
    const evil = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    const context = await browser.newContext({ httpCredentials: { username: 'ada', password: ada.secret } });
    const page = await context.newPage();
    const typed = await page.goto(`http://localhost:${port}/new?size=3`);
    assert.equal(typed?.status(), 200);
    const made = await tokens(service);
    assert.ok(made >= 1);
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().includes('/new')) statuses.push(answer.status());
    });
    await page.goto(evil, { waitUntil: 'load' });
    await Promise.all([page.waitForURL(/\/new/), page.getByRole('link').click()]);
    assert.match(await page.content(), /another site/);
    await page.goto(evil, { waitUntil: 'load' });
    await Promise.all([page.waitForURL(/\/new/), page.getByRole('button').click()]);
    assert.match(await page.content(), /another site/);
    await page.goto(evil, { waitUntil: 'load' });
    await page.evaluate(
      `fetch('http://localhost:${port}/new?size=3', { mode: 'no-cors', credentials: 'include' })`,
    );
    assert.deepEqual([...new Set(statuses.filter((status) => status !== 401))], [403]);
    assert.equal(await tokens(service), made);
    const again = await page.goto(`http://localhost:${port}/new?size=3`);
    assert.equal(again?.status(), 200);
    assert.equal(await tokens(service), made + 1);
    await context.close();
  });
});

/** Returns the number of tokens. */
async function tokens(service: RunningService): Promise<number> {
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  return Number(/^discovery_tokens (\d+)$/m.exec(metrics)?.[1]);
}

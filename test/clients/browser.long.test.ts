import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { CHROMIUM, launch, PATIENCE_MS } from '../page/browser.ts';
import { ROOT } from '../support/programs.ts';
import { type RunningService, startService } from '../support/service.ts';
import { STORY } from './story.ts';

// A page of another origin than the service's, in a real browser.

suite('a page of another origin', { skip: CHROMIUM.missing }, () => {
  let browser: Browser;
  let script = '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/main.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script src="/main.js"></script>');
  });
  let origin = '';
  let service: RunningService;
  before(async () => {
    service = await startService();
    const entryPoints = [join(ROOT, 'test', 'clients', 'browser', 'main.ts')];
    const bundle = await build({
      entryPoints,
      bundle: true,
      write: false,
      format: 'iife',
      platform: 'browser',
    });
    script = bundle.outputFiles[0]?.text ?? '';
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server.close();
    server.closeAllConnections();
    await service.stop();
  });

  for (const how of ['Connect', 'Connect with GET', 'gRPC-Web']) {
    test(`uses the API over ${how}`, async () => {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.goto(origin);
      const events: unknown = await page.evaluate(
        `runStory(${JSON.stringify(how)}, ${JSON.stringify(service.url)})`,
      );
      assert.deepEqual(events, STORY);
    });
  }
});

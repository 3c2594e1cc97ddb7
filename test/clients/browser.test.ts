import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { type RunningService, startService } from '../support/service.ts';
import { STORY } from './story.ts';
import { onPath, ROOT } from './tools.ts';

// A page of another origin than the service's, in a real browser.

const executablePath = process.env['ETCD_DISCOVERY_TEST_CHROMIUM'] ?? onPath('chromium');
const missing = executablePath === undefined && 'there is no chromium on PATH';

suite('a page of another origin', { skip: missing }, () => {
  let browser: Browser;
  let script = '';
  const server = createServer((request, response) => {
    const isScript = request.url === '/main.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script src="/main.js"></script>');
  });
  let origin = '';
  const services: RunningService[] = [];
  before(async () => {
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
    browser = await chromium.launch({ executablePath: String(executablePath), args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    server.close();
    server.closeAllConnections();
    for (const service of services) await service.stop();
  });

  async function told(how: string, corsOrigins: readonly string[]): Promise<unknown> {
    const service = await startService({}, { corsOrigins });
    services.push(service);
    const page = await browser.newPage();
    await page.goto(origin);
    return page.evaluate(`tell(${JSON.stringify(how)}, ${JSON.stringify(service.url)})`);
  }

  for (const how of ['Connect', 'Connect with GET', 'gRPC-Web']) {
    test(`tells the whole story over ${how}`, async () => {
      assert.deepEqual(await told(how, ['https://ops.example.com', origin]), STORY);
    });
  }

  test('may be of any origin when all are let in, and is kept out otherwise', async () => {
    assert.deepEqual(await told('Connect', ['*']), STORY);
    await assert.rejects(told('Connect', []), /Failed to fetch/);
    await assert.rejects(told('gRPC-Web', ['https://ops.example.com']), /Failed to fetch/);
  });
});

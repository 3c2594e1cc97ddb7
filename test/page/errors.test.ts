import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rootSeenFrom } from '../../src/page/error-page.ts';
import { defaultConfig, type RunningService, startService } from '../support/service.ts';
import { BROWSER, openAsBrowser } from './html.ts';

let service: RunningService;
let token: string;
before(async () => {
  service = await startService({ maxTokens: 2 });
  const { cluster } = await service.client.createToken({ size: 3 });
  token = cluster?.token ?? '';
});
after(() => service.stop());

/** Requests that fail, each on another surface or with another status. */
const FAILURES: ReadonlyArray<
  [status: number, method: string, path: () => string, init?: { body: string | URLSearchParams }]
> = [
  [400, 'GET', () => '/new?size=abc'],
  [400, 'POST', () => '/_page/new', { body: '{}' }],
  [400, 'POST', () => '/_page/open', { body: '{}' }],
  [403, 'GET', () => '/v2/keys/other'],
  [404, 'GET', () => `/${token}/nobody`],
  [404, 'GET', () => '/nobody-made-this/_config/size'],
  [404, 'GET', () => '/_page/no.js'],
  [404, 'GET', () => '/a/b/c/d'],
  [405, 'DELETE', () => '/new'],
  [405, 'PUT', () => '/_page/new'],
  [405, 'POST', () => '/health'],
  [405, 'GET', () => '/discovery.v1.DiscoveryService/GetCluster'],
  [413, 'PUT', () => `/${token}/1`, { body: new URLSearchParams({ value: 'x'.repeat(70_000) }) }],
];

test('every error is a complete page for a browser, with a way back and the details for programs', async () => {
  for (const [status, method, path, init = {}] of FAILURES) {
    const where = `${method} ${path()}`;
    const page = await openAsBrowser(`${service.url}${path()}`, { method, ...init });
    assert.equal(page.status, status, where);
    const html = await page.text();
    assert.match(html, /^<!doctype html>.*<h1>[^<]+<\/h1>.*<\/html>$/s, where);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/, where);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/, where);
    assert.equal(page.headers.get('cache-control'), 'no-store', where);
    if (status === 405) assert.notEqual(page.headers.get('allow'), null, where);
    const home = /<main[^>]*>.*<a[^>]* href="([^"]+)">Go to the home page/s.exec(html)?.[1] ?? '';
    assert.equal(new URL(home, page.url).href, `${service.url}/`, where);
    const style = /<link rel="stylesheet" href="([^"]+)"/.exec(html)?.[1] ?? '';
    assert.equal((await fetch(new URL(style, page.url))).status, 200, where);

    const plain = await fetch(`${service.url}${path()}`, { method, ...init, redirect: 'manual' });
    assert.doesNotMatch(plain.headers.get('content-type') ?? '', /html/, where);
    assert.equal(plain.headers.get('content-security-policy'), null, where);
  }
});

test('a browser gets a page when there is no room for a token, with the time to retry', async () => {
  await service.client.createToken({ size: 1 });
  const answer = await openAsBrowser(`${service.url}/new?size=1`);
  assert.equal(answer.status, 429);
  assert.match(await answer.text(), /<h1>Too many requests<\/h1>.*Reload/s);
});

test('at the rate limit a browser gets a page', async () => {
  const limits = { connections: 100, watches: 100, requestsAtOnce: 0 };
  const full = await startService({}, { limits: { ...defaultConfig().limits, ...limits } });
  try {
    const answer = await openAsBrowser(`${full.url}/${token}`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.match(await answer.text(), /<h1>Temporarily unavailable<\/h1>/);
    const plain = await fetch(`${full.url}/${token}`);
    assert.match(plain.headers.get('content-type') ?? '', /^text\/plain/);
  } finally {
    await full.stop();
  }
});

test('an address in a page is escaped', async () => {
  const html = await (await openAsBrowser(`${service.url}/v2/keys/discovery/a/b/%3Cscript%3E`)).text();
  assert.doesNotMatch(html, /<script>/);
});

test('pages find the root from every depth, and a path of slashes does not make a page long', () => {
  const table = { '/': './', '/a': './', '/a?b=/c/d': './', '/a/': '../', '/a/b': '../', '/a/b/c': '../../' };
  for (const [url, root] of Object.entries(table)) assert.equal(rootSeenFrom(url), root, url);
  for (const url of ['', '*', '/'.repeat(16_000)])
    assert.ok(rootSeenFrom(url).length <= 100, url.slice(0, 9));
});

test('programs that name JSON before HTML get JSON', async () => {
  const accept = `application/json, ${BROWSER}`;
  const answer = await openAsBrowser(`${service.url}/nobody-made-this/_config/size`, { headers: { accept } });
  assert.equal(answer.headers.get('content-type'), 'application/json');
});

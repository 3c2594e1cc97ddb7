import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { BROWSER, builtAssets, openAsBrowser } from './html.ts';

let service: RunningService;
before(async () => {
  service = await startService({ minTtl: 1 });
});
after(() => service.stop());

async function newToken(
  request: Parameters<RunningService['client']['createToken']>[0] = {},
): Promise<string> {
  const { cluster } = await service.client.createToken({ size: 3, ...request });
  return cluster?.token ?? '';
}

const register = (token: string, name: string, peerUrl = 'http://10.0.0.1:2380'): Promise<unknown> =>
  service.client.register({ token, memberId: '1', name, peerUrls: [peerUrl] });

/** Submits the form of the first page. */
function send(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return openAsBrowser(`${service.url}/_page/new`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
  });
}

test('curl and etcd get their usual responses, and caches learn that browsers get another one', async () => {
  const token = await newToken();
  for (const accept of ['*/*', 'application/json']) {
    const list = await openAsBrowser(`${service.url}/${token}`, { headers: { accept } });
    assert.equal(list.headers.get('content-type'), 'application/json');
    assert.equal(list.headers.get('vary'), 'Accept');
    const home = await openAsBrowser(`${service.url}/`, { headers: { accept } });
    assert.equal(home.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(home.headers.get('vary'), 'Accept');
  }
  const page = await openAsBrowser(`${service.url}/${token}`);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(page.headers.get('vary'), 'Accept');
});

test('for a service with TLS, the first page includes the port and the TLS flag, also for curl', async () => {
  const secure = await startService({}, { publicUrl: 'https://disc.example.com' });
  try {
    for (const accept of ['*/*', BROWSER]) {
      const text = await (await openAsBrowser(secure.url, { headers: { accept } })).text();
      assert.match(
        text,
        /--discovery-endpoints https:\/\/disc\.example\.com:443 [\s\\]*--discovery-insecure-transport=false /,
      );
    }
  } finally {
    await secure.stop();
  }
});

test("a token's page is private, runs only its own files, and cannot be framed", async () => {
  const token = await newToken();
  const page = await openAsBrowser(`${service.url}/${token}`);
  const { headers } = page;
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('x-frame-options'), 'DENY');
  assert.equal(headers.get('x-robots-tag'), 'noindex, nofollow');
  assert.equal(headers.get('access-control-allow-origin'), null);
  const policy = headers.get('content-security-policy') ?? '';
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]) {
    assert.ok(policy.includes(part), policy);
  }
  assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
  const html = await page.text();
  assert.match(html, /<noscript><span[^>]*>Reload to see changes<\/span><\/noscript>/);
  assert.match(html, /<meta name="robots" content="noindex, nofollow">/);
  assert.doesNotMatch(html, / (on\w+|style)=|<style|javascript:/);
  assert.deepEqual(html.match(/<script[^>]*>[^<]/g), null, 'no inline script');
  for (const [, url = ''] of html.matchAll(/(?:src|href|action)="([^"]*)"/g)) {
    assert.match(
      url,
      /^(#main|\.\/|(\.\/)?_page\/[\w.-]+)$/,
      'relative URLs, so that a proxy may add a path',
    );
  }
});

test("the page's files are cached forever, compressed, and below 60 kB in total", async () => {
  const { urls, files } = builtAssets();
  let total = gzipSync(await (await openAsBrowser(`${service.url}/${await newToken()}`)).text()).length;
  for (const url of [urls.script, urls.style, urls.icon]) {
    const answer = await openAsBrowser(`${service.url}/${url}`, { headers: { accept: '*/*' } });
    assert.equal(answer.status, 200, url);
    assert.equal(answer.headers.get('content-encoding'), 'gzip');
    assert.match(answer.headers.get('cache-control') ?? '', /^public, max-age=31536000, immutable$/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    total += Number(answer.headers.get('content-length'));
    const name = String(url).replace('_page/', '');
    assert.match(name, /^\w+-[A-Z0-9]{8}\.(js|css|svg)$/, 'named for its content');
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), files.get(name)?.bytes);
    const plain = await openAsBrowser(`${service.url}/${url}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(plain.headers.get('content-length'), String(files.get(name)?.bytes.length));
  }
  console.log(`the page and its files: ${total} bytes compressed`);
  assert.ok(total < 60_000, `${total} bytes`);
  for (const path of [
    '_page/',
    '_page/no.js',
    '_page/../package.json',
    '_page/%2e%2e/main.js',
    '_page/constructor',
  ]) {
    assert.ok((await openAsBrowser(`${service.url}/${path}`)).status >= 400, path);
  }
});

test('the page of a cluster warns about likely wrong addresses of its members', async () => {
  const token = await newToken();
  const warnings = async (): Promise<string> =>
    /<section id="warnings".*?<\/section>/s.exec(
      await (await openAsBrowser(`${service.url}/${token}`)).text(),
    )?.[0] ?? '';
  await register(token, '<infra1>', 'http://localhost:2380');
  assert.match(await warnings(), /<section [^>]*hidden/);
  await service.client.register({
    token,
    memberId: '2',
    name: 'infra2',
    peerUrls: ['http://10.0.0.2:2380'],
  });
  assert.doesNotMatch(await warnings(), /<section [^>]*hidden/);
  assert.match(await warnings(), /<li><bdi>&lt;infra1&gt; \(http:\/\/localhost:2380\) /);
});

test('the form creates a token and goes to its page', async () => {
  const made = await send({ size: '5', ttl: '3600', description: 'staging, Köln' });
  assert.equal(made.status, 303);
  const location = made.headers.get('location') ?? '';
  assert.match(location, /^\.\.\/[0-9a-f]{32}$/);
  const { cluster } = await service.client.getCluster({ token: location.slice(3) });
  assert.deepEqual([cluster?.size, cluster?.description], [5, 'staging, Köln']);
  assert.equal(Number((cluster?.expireTime?.seconds ?? 0n) - (cluster?.createTime?.seconds ?? 0n)), 3600);
  const usual = await send({ size: '1', ttl: '', description: '' });
  assert.equal(usual.status, 303);
});

test('an invalid form keeps its input, with an error next to the field', async () => {
  const wrong: ReadonlyArray<[fields: Record<string, string>, words: RegExp, field: string]> = [
    [{ size: '1001', ttl: '', description: 'mine' }, /1 to 1000 members, not 1001/, 'size'],
    [{ size: '0', ttl: '', description: 'mine' }, /1 to 1000 members, not 0/, 'size'],
    [{ size: 'three', ttl: '', description: 'mine' }, /enter the number of nodes/, 'size'],
    [{ size: '3', ttl: '99999999999', description: 'mine' }, /lifetime must be/i, 'ttl'],
    [{ size: '3', ttl: '', description: `mine${'x'.repeat(260)}` }, /at most 256 characters/, 'description'],
  ];
  for (const [fields, words, field] of wrong) {
    const answer = await send(fields);
    const html = await answer.text();
    assert.equal(answer.status, 400, html);
    assert.match(html, new RegExp(`role="alert">[^<]*${words.source}`, 'i'));
    assert.match(html, new RegExp(`name="${field}"[^>]*aria-invalid="true"`));
    assert.match(html, /name="description"[^>]*value="mine/);
    assert.match(html, /href="\.\.\/_page\/style/);
  }
});

test('a form of another site creates nothing', async () => {
  const { revision } = await service.client.createToken({ size: 1 });
  const fields = { size: '3', ttl: '', description: '' };
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: service.url },
    { origin: 'http://evil.example' },
    { origin: 'null' },
  ];
  for (const headers of foreign) {
    const answer = await send(fields, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.match(await answer.text(), /from another site, so no token was created/);
  }
  const next = await service.client.createToken({ size: 1 });
  assert.equal(next.revision, revision + 1n);
  for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: service.url }]) {
    assert.equal((await send(fields, headers)).status, 303, JSON.stringify(headers));
  }
});

test('an invalid or long form is rejected with an error message', async () => {
  const url = `${service.url}/_page/new`;
  const json = await openAsBrowser(url, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(json.status, 400);
  assert.equal((await send({ size: '3', description: 'x'.repeat(10_000) })).status, 400);
  assert.equal((await openAsBrowser(url)).headers.get('location'), '../');
  assert.equal((await openAsBrowser(url, { method: 'PUT' })).headers.get('allow'), 'GET, HEAD, POST');
});

test('pages of expired, deleted, unknown and mistyped tokens show the state and the next step', async () => {
  const expired = await newToken({ ttl: { nanos: 1_000_000 }, description: 'yesterday' });
  await waitFor(
    'the token to expire',
    async () => (await openAsBrowser(`${service.url}/${expired}`)).status === 410,
  );
  const expiredHtml = await (await openAsBrowser(`${service.url}/${expired}`)).text();
  assert.match(expiredHtml, /The token has expired: 0 of 3 nodes registered, 3 missing/);
  const deleted = await newToken();
  await service.client.deleteToken({ token: deleted });
  const cases: ReadonlyArray<[token: string, status: number, words: RegExp]> = [
    [expired, 410, /yesterday/],
    [deleted, 410, /Deleted/],
    ['nobody-made-this', 404, /Token not found/],
    ['not&a*token', 400, /Not a valid token/],
    ['x'.repeat(200), 400, /Not a valid token/],
  ];
  for (const [token, status, words] of cases) {
    const answer = await openAsBrowser(`${service.url}/${token}`);
    const html = await answer.text();
    assert.equal(answer.status, status, token);
    assert.match(html, words);
    assert.match(html, /<a class="button" href="\.\/">/, 'a way back');
    assert.doesNotMatch(html, /<script/, 'no script, because there is nothing to update');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  }
});

test('an expired token shows who registered, who is missing and how to reopen it, until it is reopened', async () => {
  const token = await newToken({ ttl: { seconds: 1n }, size: 2 });
  await register(token, 'infra1');
  const url = `${service.url}/${token}`;
  await waitFor('the token to expire', async () => (await openAsBrowser(url)).status === 410);
  const html = await (await openAsBrowser(url)).text();
  assert.match(html, /The token has expired: 1 of 2 nodes registered, 1 missing\./);
  assert.match(html, /infra1.*http:\/\/10\.0\.0\.1:2380.*ID .*Missing/s);
  assert.ok(html.includes(`>etcd-discovery reopen ${url}</pre>`), html);
  assert.match(html, /<dt>Removal<\/dt><dd><b>in 7 days/);
  await service.client.reopenToken({ token });
  assert.equal((await openAsBrowser(url)).status, 200);
});

test('a trailing slash redirects to the page', async () => {
  const token = await newToken();
  const answer = await openAsBrowser(`${service.url}/${token}/`);
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, `../${token}`]);
});

test('HEAD returns only the headers', async () => {
  const url = `${service.url}/${await newToken()}`;
  const head = await openAsBrowser(url, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.ok(Number(head.headers.get('content-length')) > 1000);
});

test('text from members and creators of tokens is never markup', async () => {
  const attack = '"><script>alert(1)</script><img/src=x/onerror=alert(1)>&amp;\'';
  const token = await newToken({ size: 1, description: attack });
  await register(token, attack.replaceAll('=', ''), 'http://"><b>x<:1').catch(() => {});
  await register(token, attack.replaceAll('=', ''));
  const html = await (await openAsBrowser(`${service.url}/${token}`)).text();
  assert.doesNotMatch(html, /<script>|<img|<b>x/);
  assert.ok(html.includes('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'), html);
  const form = await (await send({ size: attack, ttl: attack, description: attack })).text();
  assert.doesNotMatch(form, /<script>|<img/);
  const page = await hostIs('evil"><script>alert(1)</script>');
  assert.doesNotMatch(page, /<script>/);
});

/** Returns the response to a browser that sends an invalid host. */
function hostIs(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(service.url, { headers: { host, accept: BROWSER } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve(text));
    });
    call.on('error', reject).end();
  });
}

test('a list that a shell would interpret is quoted', async () => {
  const token = await newToken({ size: 1 });
  await register(token, '$(reboot)');
  const html = await (await openAsBrowser(`${service.url}/${token}`)).text();
  assert.ok(html.includes('&#39;$(reboot)=http://10.0.0.1:2380&#39;</pre>'), html);
});

test('a cluster of a thousand shows the number of its free slots, not each of them', async () => {
  const html = await (await openAsBrowser(`${service.url}/${await newToken({ size: 1000 })}`)).text();
  assert.equal(html.match(/<li class="slot free">/g)?.length, 24);
  assert.match(html, /and 976 more free slots/);
  assert.match(html, /0 of 1000 nodes registered, 1000 missing/);
});

test('pages work over HTTP/2', async () => {
  const session = connect(service.url);
  try {
    const stream = session.request({
      ':path': `/${await newToken()}`,
      accept: BROWSER,
      'accept-encoding': 'gzip',
    });
    const status = new Promise((resolve) =>
      stream.once('response', (headers) => resolve(headers[':status'])),
    );
    let html = '';
    for await (const chunk of stream.setEncoding('utf8')) html += String(chunk);
    assert.equal(await status, 200);
    assert.match(html, /^<!doctype html>.*<\/html>$/s);
    const script = session.request({ ':path': `/${builtAssets().urls.script}`, 'accept-encoding': 'gzip' });
    const chunks: Buffer[] = [];
    for await (const chunk of script) chunks.push(chunk as Buffer);
    assert.ok(gunzipSync(Buffer.concat(chunks)).length > 10_000);
  } finally {
    session.close();
  }
});

test('page requests are logged without their tokens, and counted', async () => {
  const token = await newToken();
  await openAsBrowser(`${service.url}/${token}`);
  const isLine = (line: string): boolean =>
    line.includes('"surface":"page"') && line.includes(token.slice(0, 4));
  await waitFor('the log line', () => service.logged.some(isLine));
  assert.ok(service.logged.every((line) => !line.includes(token)));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  assert.match(metrics, /^discovery_requests_total\{surface="page",method="GET",code="200"\} \d+$/m);
});

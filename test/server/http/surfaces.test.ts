import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { servePage } from '../../../src/server/http/service-pages.ts';
import { tokenLabel } from '../../../src/server/telemetry/redact.ts';
import { slow } from '../../slow.ts';
import { emptyMetrics } from '../../support/scrape.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function get(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(`${service.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

async function newToken(): Promise<string> {
  const { cluster } = await service.client.createToken({ size: 3 });
  return cluster?.token ?? '';
}

/** Returns the value of one sample; undefined if it is missing. */
async function sample(name: string): Promise<number | undefined> {
  const line = (await get('/metrics')).body.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

test('the start page shows what the service is and how to use it, with the name that the client used', async () => {
  const page = await get('/');
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.ok(page.body.includes(`curl '${service.url}/new?size=3'`), page.body);
  assert.ok(page.body.includes(`${service.url}/discovery.v1.DiscoveryService/CreateToken`), page.body);
  assert.ok(page.body.split('\n').every((line) => line.length <= 100));
});

test('a manual call without a media type, or without POST, gets an error with the correction', async () => {
  const path = '/discovery.v1.DiscoveryService/CreateToken';
  const refusals: ReadonlyArray<[status: number, pattern: RegExp, init: RequestInit]> = [
    [
      415,
      /-H 'Content-Type: application\/json'/,
      { method: 'POST', body: new URLSearchParams({ size: '3' }) },
    ],
    [415, /-H 'Content-Type: application\/json'/, { method: 'POST' }],
    [405, /with POST/, {}],
    [405, /with POST/, { method: 'PUT', body: '{"size":3}' }],
  ];
  for (const [status, pattern, init] of refusals) {
    const answer = await get(path, init);
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    const { code, message } = JSON.parse(answer.body) as { code: string; message: string };
    // The code that Connect clients derive from the status.
    assert.equal(code, 'unknown');
    assert.match(message, pattern);
  }
  const foreign = await get(path, { method: 'POST', headers: { 'content-type': 'image/jpeg' } });
  assert.equal(foreign.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.match(foreign.body, /-H 'Content-Type: application\/json'/);
  const head = await get(path, { method: 'HEAD' });
  assert.deepEqual([head.status, head.body], [405, '']);
  const headers = { 'content-type': 'application/grpc' };
  const bare = await get(path, { method: 'PUT', headers, body: '{}' });
  assert.deepEqual([bare.status, bare.headers.get('content-type'), bare.body], [405, null, '']);
  const stream = await get('/etcdserverpb.Watch/Watch', { method: 'POST', headers });
  assert.equal(stream.status, 505);
  assert.match(stream.body, /requires HTTP\/2/);
});

test('the start page shows the public URL if there is one', async () => {
  const own = await startService({}, { publicUrl: 'https://disc.example.com' });
  try {
    const text = await (await fetch(own.url)).text();
    assert.ok(text.includes("curl 'https://disc.example.com/new?size=3'"), text);
  } finally {
    await own.stop();
  }
});

test('/health returns OK and changes nothing', async () => {
  const made = await service.client.createToken({ size: 1 });
  for (let i = 0; i < 3; i += 1) assert.equal((await get('/health')).body, 'OK');
  const head = await get('/health', { method: 'HEAD' });
  assert.deepEqual([head.status, head.body, head.headers.get('content-length')], [200, '', '2']);
  const next = await service.client.createToken({ size: 1 });
  assert.equal(next.revision, made.revision + 1n);
});

test('/health gives the reason why the service is not ready', async () => {
  const metrics = emptyMetrics();
  const pages = {
    version: '0',
    metrics,
    urlFor: () => '',
    openapi: () => undefined,
    notReady: async () => 'the service is stopping',
    errorPage: () => undefined,
    warning: () => undefined,
  };
  const server = createServer((request, response) => {
    void servePage(request.url === '/livez' ? 'live' : 'health', pages, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '5');
    assert.equal(await response.text(), 'not ready: the service is stopping\n');
    // A restart would not help, so /livez returns OK.
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/livez`)).text(), 'OK');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("robots are excluded, and the service's pages are read-only", async () => {
  assert.equal((await get('/robots.txt')).body, 'User-agent: *\nDisallow: /\n');
  for (const path of ['/', '/health', '/readyz', '/livez', '/robots.txt', '/openapi.json', '/metrics']) {
    const post = await get(path, { method: 'POST', body: 'x' });
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD'], path);
  }
});

test('an unknown RPC is unimplemented in every protocol', async () => {
  for (const path of [
    '/discovery.v1.DiscoveryService/NoSuchMethod',
    '/grpc.channelz.v1.Channelz/GetServers',
  ]) {
    const headers = { 'content-type': 'application/json' };
    const connectAnswer = await get(path, { method: 'POST', headers, body: '{}' });
    assert.equal(connectAnswer.status, 404);
    assert.equal((JSON.parse(connectAnswer.body) as { code: string }).code, 'unimplemented');

    const web = { 'content-type': 'application/grpc-web+proto' };
    const webAnswer = await get(path, { method: 'POST', headers: web, body: '' });
    assert.deepEqual([webAnswer.status, webAnswer.headers.get('grpc-status')], [200, '12']);

    const session = connect(service.url);
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.end();
      const response = await new Promise<Record<string, unknown>>((resolve) =>
        stream.on('response', resolve),
      );
      assert.equal(response[':status'], 200);
      assert.equal(response['grpc-status'], '12');
    } finally {
      session.close();
    }
  }
});

test('a misspelt field of a JSON call is rejected by name', async () => {
  const headers = { 'content-type': 'application/json' };
  const body = '{"size": 3, "tlt": "3600s"}';
  const answer = await get('/discovery.v1.DiscoveryService/CreateToken', { method: 'POST', headers, body });
  assert.equal(answer.status, 400);
  assert.match(answer.body, /tlt/);
});

test('a message over 64 KiB is rejected, even if its compressed form is small', async () => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ size: 3, description: 'x'.repeat(70_000) });
  const path = '/discovery.v1.DiscoveryService/CreateToken';
  const plain = await get(path, { method: 'POST', headers, body });
  assert.match(plain.body, /resource_exhausted/);
  const { gzipSync } = await import('node:zlib');
  const packed = await get(path, {
    method: 'POST',
    headers: { ...headers, 'content-encoding': 'gzip' },
    body: new Uint8Array(gzipSync(body)),
  });
  assert.match(packed.body, /resource_exhausted/);
});

test('/metrics is Prometheus text: every sample has a type, a name and a number', async () => {
  await get('/new?size=3');
  const { body, headers } = await get('/metrics');
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const typed = new Set<string>();
  for (const line of body.split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) typed.add(type[1] ?? '');
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', value = ''] =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[a-z_A-Z0-9]+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/.exec(line) ?? [];
    assert.ok(typed.has(name.replace(/_(sum|count|bucket)$/, '')) || typed.has(name), line);
    assert.ok(!Number.isNaN(Number(value.replace('Nan', 'x'))) || value === 'Nan', line);
  }
  for (const name of [
    'endpoint_new_requests_total',
    'discovery_requests_total',
    'process_cpu_seconds_total',
  ]) {
    assert.ok(typed.has(name), name);
  }
});

test("requests are counted by interface, method and result, also in the old service's counters", async () => {
  const own = async (): Promise<Array<number | undefined>> =>
    Promise.all(
      [
        'endpoint_new_requests_total{code="200",method="GET"}',
        'endpoint_new_requests_total{code="400",method="PUT"}',
        'endpoint_token_requests_total{code="200",method="GET"}',
        'endpoint_token_requests_total{code="404",method="GET"}',
        'endpoint_health_requests_total{code="200",method="GET"}',
        'discovery_requests_total{surface="v2",method="PUT",code="400"}',
        'discovery_requests_total{surface="rpc",method="CreateToken",code="ok"}',
        'discovery_requests_total{surface="rpc",method="GetCluster",code="not_found"}',
        'discovery_requests_total{surface="rpc",method="WatchMembers",code="not_found"}',
        'discovery_requests_total{surface="rpc",method="CreateToken",code="http_415"}',
      ].map(sample),
    );
  const before = await own();
  const grpc = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
  const token = await newToken();
  await get('/new?size=3');
  await get('/new?size=0', { method: 'PUT' });
  await get(`/${token}`);
  await get(`/${randomBytes(16).toString('hex')}`);
  await get('/health');
  await assert.rejects(grpc.getCluster({ token: 'nobody' }));
  await assert.rejects(async () => {
    for await (const _ of grpc.watchMembers({ token: 'nobody' }));
  });
  await get('/discovery.v1.DiscoveryService/CreateToken', { method: 'POST', body: 'x' });
  await waitFor('every request to be counted', async () => {
    const counts = await own();
    return counts.every((count, i) => (count ?? 0) - (before[i] ?? 0) === 1);
  });
});

test('a watch is counted while it is open, and when it is cancelled', async () => {
  const abort = new AbortController();
  const watch = service.client.watchMembers({ token: await newToken() }, { signal: abort.signal });
  const messages = watch[Symbol.asyncIterator]();
  await messages.next();
  assert.equal(await sample('discovery_watches'), 1);
  assert.ok(((await sample('discovery_connections')) ?? 0) >= 2);
  abort.abort();
  await assert.rejects(messages.next());
  await waitFor('the watch to end', async () => (await sample('discovery_watches')) === 0);
  const canceled = 'discovery_requests_total{surface="rpc",method="WatchMembers",code="canceled"}';
  await waitFor('the watch to be counted', async () => (await sample(canceled)) === 1);
});

test('an HTTP/2 client cannot create labels', async () => {
  const session = connect(service.url);
  try {
    const stream = session.request({ ':method': 'EVIL', ':path': '/new' });
    stream.resume().end();
    await new Promise((resolve) => stream.on('close', resolve));
  } finally {
    session.close();
  }
  await waitFor('the request to be counted', async () => /method="OTHER"/.test((await get('/metrics')).body));
  assert.doesNotMatch((await get('/metrics')).body, /EVIL/);
});

test('a request is one line of the log, with its outcome', async () => {
  const token = await newToken();
  const path = `/${tokenLabel(token)}`;
  await get(`/${token}?recursive=true`);
  const lineOf = (part: string): Record<string, unknown> | undefined => {
    const line = service.logged.find((each) => each.includes(part));
    return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
  };
  await waitFor('the line', () => lineOf(`"path":"${path}"`) !== undefined);
  const { time, ms, requestId, ...line } = lineOf(`"path":"${path}"`) ?? {};
  assert.deepEqual(line, {
    level: 'info',
    method: 'GET',
    path,
    status: 200,
    surface: 'v2',
    token: tokenLabel(token),
    remote: '127.0.0.1',
    http: '1.1',
    msg: 'request',
  });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(typeof ms, 'number');
  assert.equal(typeof requestId, 'string');
  await get('/health');
  await waitFor('the line of the probe', () => lineOf('"path":"/health"')?.['level'] === 'debug');
});

test('the log contains no whole token, wherever a request puts it', async () => {
  const seed = randomInt(2 ** 31);
  console.log(`seed ${seed}`);
  let state = seed;
  const pick = <T>(from: readonly T[]): T => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return from[(state >> 8) % from.length] as T;
  };
  const tokens: string[] = [];
  for (let i = 0; i < 5; i += 1) tokens.push(await newToken());
  tokens.push('my-chosen-token', randomBytes(16).toString('hex'));
  await service.client.createToken({ size: 2, token: 'my-chosen-token' });
  const encode = (token: string): string => `%${token.charCodeAt(0).toString(16)}${token.slice(1)}`;
  const message = (token: string): string =>
    encodeURIComponent(JSON.stringify({ token, memberId: token, name: token, peerUrls: [token] }));
  const rpc = '/discovery.v1.DiscoveryService';
  const paths: ReadonlyArray<(token: string) => string> = [
    (t) => `/${t}`,
    (t) => `/${t}/${t}`,
    (t) => `//${t}//${t}`,
    (t) => `/${t}/_config/size`,
    (t) => `/${encode(t)}`,
    (t) => `/v2/keys/_etcd/registry/${t}?recursive=true`,
    (t) => `/v2/keys/_etcd/registry/${t}/${t}?prevExist=false&value=${t}`,
    (t) => `/v2/keys/${t}`,
    (t) => `/new?size=${t}`,
    (t) => `/new/${t}`,
    (t) => `/health?${t}`,
    (t) => `/metrics/${t}`,
    (t) => `${rpc}/GetCluster?connect=v1&encoding=json&message=${message(t)}`,
    (t) => `${rpc}/Register?connect=v1&encoding=json&message=${message(t)}`,
    (t) => `${rpc}/${t}`,
    (t) => `/${t}.Service/${t}`,
    (t) => `/discovery/${t}/members`,
  ];
  // A name that is a token, under each path that resembles one.
  for (const path of paths) {
    for (const token of tokens) {
      const body = new URLSearchParams({ value: `${token}=http://${token}:1` });
      await get(path(token), { method: 'PUT', body, redirect: 'manual' });
    }
  }
  const more = slow ? 400 : 60;
  for (let i = 0; i < more; i += 1) {
    const token = pick(tokens);
    const path = pick(paths)(token);
    const method = pick(['GET', 'GET', 'PUT', 'POST', 'DELETE']);
    const headers = {
      'content-type': pick(['application/json', 'application/x-www-form-urlencoded', token]),
      'user-agent': token,
      referer: `http://${token}/`,
    };
    const body = pick([`value=${token}=http://${token}:1`, `{"token":"${token}"}`, token]);
    await get(path, { method, headers, redirect: 'manual', ...(method !== 'GET' && { body }) });
  }
  const lines = service.logged;
  assert.ok(lines.length > more);
  for (const token of tokens) {
    const leaks = lines.filter((line) => line.includes(token));
    assert.deepEqual(leaks, []);
  }
});

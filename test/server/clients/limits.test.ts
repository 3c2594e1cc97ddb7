import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService, RegisterMode } from '../../../gen/discovery/v1/service_pb.ts';
import {
  KV,
  Watch,
  type WatchRequestSchema,
  type WatchResponse,
} from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { createDiscoveryClient, refusalOf } from '../../../src/client/node.ts';
import { REQUEST_LIMITS } from '../../../src/limits.ts';
import { openPort } from '../../../src/port/port.ts';
import { Limiter } from '../../../src/server/clients/limiter.ts';
import type { ClientLimits } from '../../../src/settings/config.ts';
import { parseCidrs } from '../../../src/values/ip.ts';
import { HELLO } from '../../port/support/frames.ts';
import { defaultConfig, type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';
import { CA, IDENTITY } from '../../tls/files.ts';

const ALICE = '198.51.100.1';
const BOB = '198.51.100.2';
const HOUR = 3_600_000;

/** Starts a service behind a proxy on this machine, which takes the client from X-Forwarded-For. */
function serviceWith(perClient: Partial<ClientLimits>): Promise<RunningService> {
  const { limits } = defaultConfig();
  return startService(
    {},
    {
      trustedProxies: parseCidrs('127.0.0.0/8'),
      limits: { ...limits, perClient: { ...limits.perClient, ...perClient } },
    },
  );
}

const from = (client: string): Record<string, string> => ({ 'X-Forwarded-For': client });

/** Returns a transport for every RPC protocol and HTTP version. */
function transports(baseUrl: string, client: string): Record<string, Transport> {
  const forwarded: Interceptor = (next) => (request) => {
    request.header.set('X-Forwarded-For', client);
    return next(request);
  };
  const options = { baseUrl, interceptors: [forwarded] };
  return {
    'Connect over HTTP/1.1': createConnectTransport({ ...options, httpVersion: '1.1' }),
    'Connect over HTTP/2': createConnectTransport({ ...options, httpVersion: '2' }),
    'Connect by GET': createConnectTransport({ ...options, httpVersion: '1.1', useHttpGet: true }),
    gRPC: createGrpcTransport(options),
    'gRPC-Web': createGrpcWebTransport({ ...options, httpVersion: '1.1' }),
  };
}

function assertRateLimited(thrown: unknown, pattern: RegExp): true {
  const error = ConnectError.from(thrown);
  assert.equal(error.code, Code.ResourceExhausted);
  assert.match(error.rawMessage, pattern);
  assert.equal(refusalOf(error)?.reason, ErrorReason.TOO_MANY_REQUESTS);
  const [retry] = error.findDetails(RetryInfoSchema);
  assert.ok((retry?.retryDelay?.seconds ?? 0n) > 0n, 'the error says when to retry');
  return true;
}

suite('stored bytes of one client above the limit', () => {
  let service: RunningService;
  before(async () => {
    service = await serviceWith({ bytes: { burst: 3000, interval: HOUR } });
  });
  after(() => service.stop());

  test('bytes above the limit are rejected with a delay; no-op changes are free, and others are served', async () => {
    const of = (client: string) =>
      createClient(DiscoveryService, transports(service.url, client)['gRPC'] as Transport);
    const [alice, bob] = [of(ALICE), of(BOB)];
    const { cluster } = await alice.createToken({ size: 3 });
    const token = cluster?.token ?? '';
    const member = { token, memberId: 'a', name: 'a', peerUrls: ['http://a:2380'] };
    for (let i = 0; i < 100; i++) await alice.register(member);
    const pattern = /\b198\.51\.100\.1 reached its rate limit for stored bytes; try again in \d+ s$/;
    let refused: unknown;
    for (let i = 0; i < 100 && refused === undefined; i++) {
      const name = `${'x'.repeat(200)}${i}`;
      refused = await alice.register({ ...member, mode: RegisterMode.REPLACE, name }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    }
    assert.ok(assertRateLimited(refused, pattern));
    // Bytes left for members are not available to new tokens.
    await assert.rejects(alice.createToken({ size: 3 }), (thrown) => assertRateLimited(thrown, pattern));
    await bob.register({ token, memberId: 'b', name: 'b', peerUrls: ['http://b:2380'] });
  });
});

suite('requests of one client above the limit', () => {
  let service: RunningService;
  let url: string;
  let token: string;
  const WORDS = /\b198\.51\.100\.1 reached its rate limit for requests\b.*; try again in \d+ s$/;
  before(async () => {
    // One, and the next in an hour: a client that has used it stays out for the test.
    service = await serviceWith({ requests: { burst: 1, interval: HOUR } });
    url = service.url;
    token = (await service.client.createToken({ size: 3 })).cluster?.token ?? '';
    await fetch(`${url}/${token}`, { headers: from(ALICE) });
  });
  after(() => service.stop());

  for (const [what, method, path, accept, status, body] of [
    [
      'a node that reads',
      'GET',
      '/T/_config/size',
      '*/*',
      503,
      /^\{"errorCode":300,"message":"Too many requests","cause":"client 198\.51\.100\.1 /,
    ],
    [
      'a node that waits for others',
      'GET',
      '/T?recursive=true&wait=true&waitIndex=9',
      '*/*',
      503,
      /^\{"errorCode":300/,
    ],
    [
      'a node that registers, which does not retry',
      'PUT',
      '/T/1?prevExist=false',
      '*/*',
      429,
      /^\{"errorCode":110,.*the token is still valid: start this node again"/,
    ],
    [
      'a node that waits for itself, which does not retry',
      'GET',
      '/T/1?recursive=false&wait=true&waitIndex=2',
      '*/*',
      429,
      /start this node again"/,
    ],
    ['a client that deletes', 'DELETE', '/T?recursive=true', '*/*', 429, /^\{"errorCode":110/],
    [
      'a client that creates a token',
      'GET',
      '/new?size=3',
      '*/*',
      429,
      /\b198\.51\.100\.1 reached its rate limit for requests\b.*; try again in \d+ s\n$/,
    ],
    ['a browser', 'GET', '/T', 'text/html', 429, /<h1>Too many requests<\/h1>/],
    ['a browser with the form', 'POST', '/_page/new', 'text/html', 429, /class="brand" href="\.\.\/"/],
    ['the first page', 'GET', '/', '*/*', 429, /^client 198\.51\.100\.1 reached its rate limit/],
  ] as const) {
    test(`${what} gets an error with Retry-After`, async () => {
      const response = await fetch(`${url}${path.replace('T', token)}`, {
        method,
        headers: { ...from(ALICE), accept },
        ...(method === 'PUT' && { body: new URLSearchParams({ value: 'infra1=http://10.0.0.1:2380' }) }),
      });
      assert.equal(response.status, status);
      assert.match(await response.text(), body);
      assert.ok(Number(response.headers.get('retry-after')) > 0);
    });
  }

  test('RPCs and streams are rejected in every protocol, with a delay', async () => {
    for (const [name, transport] of Object.entries(transports(url, ALICE))) {
      const client = createClient(DiscoveryService, transport);
      await assert.rejects(client.getCluster({ token }), (thrown) => assertRateLimited(thrown, WORDS), name);
      const watch = client.watchMembers({ token })[Symbol.asyncIterator]();
      await assert.rejects(watch.next(), (thrown) => assertRateLimited(thrown, WORDS), name);
      const etcd = createClient(KV, transport);
      await assert.rejects(
        etcd.range({ key: Buffer.from('/x') }),
        (thrown) => assertRateLimited(thrown, WORDS),
        name,
      );
      if (name !== 'gRPC' && name !== 'Connect over HTTP/2') continue;
      const watching = createClient(Watch, transport).watch((async function* () {})());
      // An etcd node pauses only after this code.
      await assert.rejects(watching[Symbol.asyncIterator]().next(), { code: Code.Unavailable }, name);
    }
  });

  test('a call is rejected before its body arrives', async () => {
    const socket = connect(service.port, '127.0.0.1');
    const lines = [
      'POST /discovery.v1.DiscoveryService/GetCluster HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      'Content-Length: 60000',
      `X-Forwarded-For: ${ALICE}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n{`);
    const [first] = (await new Promise<Buffer>((resolve) => socket.once('data', resolve)))
      .toString()
      .split('\r\n');
    assert.equal(first, 'HTTP/1.1 429 Too Many Requests');
    socket.destroy();
  });

  test('probes, scrapers and other clients are served', async () => {
    for (const path of ['/health', '/livez', '/readyz', '/metrics']) {
      assert.equal((await fetch(`${url}${path}`, { headers: from(ALICE) })).status, 200, path);
    }
    assert.equal((await fetch(`${url}/${token}`, { headers: from(BOB) })).status, 200);
    assert.equal((await fetch(`${url}/${token}`)).status, 200, 'this machine has no limit');
  });

  test('the log names the client, not the proxy, with rejected requests at debug and one warning', async () => {
    const lines = (): Array<Record<string, unknown>> =>
      service.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    await waitFor('a line of each', () => new Set(lines().map(({ remote }) => remote)).size >= 4);
    const refused = lines().filter(
      ({ remote, status }) => remote === ALICE && (status === 429 || status === 503),
    );
    assert.ok(refused.length > 10 && refused.every(({ level }) => level === 'debug'));
    const warnings = lines().filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ client, limit }) => ({ client, limit })),
      [{ client: ALICE, limit: 'requests' }],
    );
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /discovery_refusals_total\{reason="TOO_MANY_REQUESTS"\} \d\d/);
  });

  test('without a trusted proxy, a client cannot choose its address', async (t) => {
    const { limits } = defaultConfig();
    const own = await startService(
      {},
      { limits: { ...limits, perClient: { ...limits.perClient, requests: { burst: 1, interval: HOUR } } } },
    );
    t.after(() => own.stop());
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await fetch(`${own.url}/version`, { headers: from(ALICE) })).status, 200);
    }
    await waitFor('the lines', () => own.logged.some((line) => line.includes('/version')));
    assert.ok(!own.logged.some((line) => line.includes(ALICE)));
  });
});

suite('new tokens of one client above the limit', () => {
  let service: RunningService;
  let url: string;
  const WORDS = /\b198\.51\.100\.1 reached its rate limit for new tokens; .*; try again in \d+ s$/;
  before(async () => {
    service = await serviceWith({ newTokens: { burst: 2, interval: HOUR } });
    url = service.url;
    for (let i = 0; i < 2; i += 1) {
      assert.equal((await fetch(`${url}/new?size=3`, { headers: from(ALICE) })).status, 200);
    }
  });
  after(() => service.stop());

  test('are rejected on every interface', async () => {
    const made = await fetch(`${url}/new?size=3`, { headers: from(ALICE) });
    assert.equal(made.status, 429);
    assert.match((await made.text()).trim(), WORDS);
    assert.ok(Number(made.headers.get('retry-after')) > 0);

    const put = await fetch(`${url}/mine/_config/size`, {
      method: 'PUT',
      headers: from(ALICE),
      body: new URLSearchParams({ value: '3' }),
    });
    assert.equal(put.status, 429);
    assert.match(
      await put.text(),
      /"message":"Too many requests","cause":"client 198\.51\.100\.1 reached its rate limit for new tokens/,
    );
    assert.ok(Number(put.headers.get('retry-after')) > 0);

    const form = await fetch(`${url}/_page/new`, {
      method: 'POST',
      headers: { ...from(ALICE), 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ size: '3', ttl: '', description: '' }),
    });
    assert.equal(form.status, 429);
    assert.match(await form.text(), /198\.51\.100\.1 reached its rate limit for new tokens/);
    assert.ok(Number(form.headers.get('retry-after')) > 0);

    for (const [name, transport] of Object.entries(transports(url, ALICE))) {
      const client = createClient(DiscoveryService, transport);
      await assert.rejects(
        client.createToken({ size: 3 }),
        (thrown) => assertRateLimited(thrown, WORDS),
        name,
      );
      const etcd = createClient(KV, transport);
      const size = { key: Buffer.from('/_etcd/registry/mine/_config/size'), value: Buffer.from('3') };
      await assert.rejects(etcd.put(size), (thrown) => assertRateLimited(thrown, WORDS), name);
    }
  });

  test('do not affect other calls, or other clients in the same /48', async () => {
    const { cluster } = await service.client.createToken({ size: 3 });
    const token = cluster?.token ?? '';
    assert.equal((await fetch(`${url}/${token}`, { headers: from(ALICE) })).status, 200);
    const makeFrom = async (client: string): Promise<number> =>
      (await fetch(`${url}/new`, { headers: from(client) })).status;
    assert.equal(await makeFrom(BOB), 200);
    const many = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1::3', '2001:db8:0:2::1'];
    const statuses: number[] = [];
    for (const client of many) statuses.push(await makeFrom(client));
    assert.deepEqual(statuses, [200, 200, 429, 200]);
  });
});

test('a typed client waits as long as the service says, and then gets its token', async (t) => {
  const service = await serviceWith({ newTokens: { burst: 1, interval: 1500 } });
  t.after(() => service.stop());
  const client = createDiscoveryClient(service.url, { headers: from(ALICE) });
  const all = [await client.createToken({ size: 1 }), await client.createToken({ size: 1 })];
  assert.ok(all.every(({ created }) => created));
  const impatient = createDiscoveryClient(service.url, { headers: from(ALICE), retryForMs: 0 });
  // At most one of them has room, however late they are.
  const asked = await Promise.allSettled([1, 2, 3].map(() => impatient.createToken({ size: 1 })));
  const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason as ConnectError] : []));
  assert.ok(refused.length > 0 && refused.every(({ code }) => code === Code.ResourceExhausted));
});

test('waits and streams of one client are bounded, and make room when they end', async (t) => {
  const service = await serviceWith({ requestsAtOnce: 3 });
  t.after(() => service.stop());
  const token = (await service.client.createToken({ size: 3 })).cluster?.token ?? '';
  const abort = new AbortController();
  const wait = (): Promise<Response> =>
    fetch(`${service.url}/${token}?recursive=true&wait=true`, { headers: from(ALICE), signal: abort.signal });
  // Held, because a garbage-collected response is closed.
  const open = await Promise.all([wait(), wait()]);
  t.after(() => open.length);
  const watcher = createDiscoveryClient(service.url, { headers: from(ALICE), retryForMs: 0 });
  const watch = watcher.watchMembers({ token }, { signal: abort.signal })[Symbol.asyncIterator]();
  await watch.next();
  const refused = await wait();
  assert.equal(refused.status, 503);
  assert.match(
    await refused.text(),
    /198\.51\.100\.1 reached its limit of 3 concurrent requests; try again in 5 s/,
  );
  await assert.rejects(watcher.getCluster({ token }), (thrown) =>
    assertRateLimited(thrown, /3 concurrent requests/),
  );
  assert.equal((await fetch(`${service.url}/${token}`, { headers: from(BOB) })).status, 200);
  abort.abort();
  await assert.rejects(watch.next());
  await waitFor(
    'room',
    async () => (await fetch(`${service.url}/${token}`, { headers: from(ALICE) })).status === 200,
  );
  // Only one call was rejected.
  assert.equal((await watcher.getCluster({ token })).cluster?.token, token);
});

const registry = (token: string): Uint8Array => Buffer.from(`/_etcd/registry/${token}/members`);

/** Opens watches as a node of etcd 3.7 does, from a given client. Resolves when all are created or rejected. */
async function watchAsNode(
  { url }: RunningService,
  client: string,
  token: string,
  { signal }: AbortController,
  watches = 1,
): Promise<{ created: number; refused: string[]; next: () => Promise<WatchResponse> }> {
  const etcd = createClient(Watch, transports(url, client)['gRPC'] as Transport);
  const done = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
  async function* requests(): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
    const key = registry(token);
    const value = {
      key,
      rangeEnd: Buffer.from(`${Buffer.from(key).toString().slice(0, -1)}t`),
      startRevision: 1n,
    };
    for (let i = 0; i < watches; i += 1) yield { requestUnion: { case: 'createRequest', value } };
    await done;
  }
  const answers = etcd.watch(requests(), { signal })[Symbol.asyncIterator]();
  const next = async (): Promise<WatchResponse> => (await answers.next()).value as WatchResponse;
  let created = 0;
  const refused: string[] = [];
  while (created + refused.length < watches) {
    const answer = await next();
    if (answer.canceled) refused.push(answer.cancelReason);
    else if (answer.created) created += 1;
  }
  return { created, refused, next };
}

for (const [whose, pattern] of [
  ['of one client', /198\.51\.100\.1 .*\b3\b/],
  ['of all clients', /the service reached its limit of waiting nodes and watches; try again in 5 s/],
] as const) {
  test(`watches ${whose} are bounded in every dialect; other calls are served, and a waiting one gets in later`, async (t) => {
    const service =
      whose === 'of one client'
        ? await serviceWith({ watches: 3 })
        : await startService(
            {},
            {
              trustedProxies: parseCidrs('127.0.0.0/8'),
              limits: { ...defaultConfig().limits, watches: 3 },
            },
          );
    const { url } = service;
    const token = (await service.client.createToken({ size: 3 })).cluster?.token ?? '';
    const leave = new AbortController();
    t.after(async () => {
      leave.abort();
      await service.stop();
    });
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${url}/${token}${path}`, { headers: from(ALICE), signal: leave.signal, ...init });
    const wait = (): Promise<Response> => ask('?recursive=true&wait=true');
    const first = new AbortController();
    const watcher = createDiscoveryClient(url, { headers: from(ALICE), retryForMs: 0 });
    const watch = watcher.watchMembers({ token }, { signal: first.signal })[Symbol.asyncIterator]();
    await watch.next();
    // Held, because a garbage-collected response is closed.
    const open = await Promise.all([wait(), watchAsNode(service, ALICE, token, leave)]);
    t.after(() => open.length);
    await waitFor('three watches', async () =>
      /^discovery_watches 3$/m.test(await (await fetch(`${url}/metrics`)).text()),
    );

    const refused = await wait();
    assert.equal(refused.status, 503, 'a v2 node retries it');
    assert.equal(refused.headers.get('retry-after'), '5');
    assert.match(await refused.text(), pattern);
    for (const [name, transport] of Object.entries(transports(url, ALICE))) {
      const stream = createClient(DiscoveryService, transport).watchMembers({ token });
      await assert.rejects(
        stream[Symbol.asyncIterator]().next(),
        (thrown) => assertRateLimited(thrown, pattern),
        name,
      );
    }
    const held = await watchAsNode(service, ALICE, token, leave);
    assert.equal(held.created, 1, 'a v3 node would retry immediately, without end');

    const body = new URLSearchParams({ value: 'infra1=http://10.0.0.1:2380' });
    assert.equal((await ask('/1?prevExist=false', { method: 'PUT', body })).status, 201);
    const self = ask('/2?recursive=false&wait=true');
    if (whose === 'of one client') {
      const bob = await fetch(`${url}/${token}?recursive=true&wait=true`, {
        headers: from(BOB),
        signal: leave.signal,
      });
      assert.equal(bob.status, 200);
    }
    assert.equal((await self).status, 200, 'a node that waits for itself would exit');
    first.abort();
    await assert.rejects(watch.next());
    const { events } = await held.next();
    assert.ok(events.length > 0, 'now it has room');
  });
}

test('a flood of one client does not affect the requests of another', async (t) => {
  const service = await serviceWith({ requests: { burst: 100, interval: HOUR } });
  t.after(() => service.stop());
  const session = connectHttp2(service.url);
  const statuses = new Map<number, number>();
  const ask = (client: string): Promise<number> =>
    new Promise((resolve) => {
      const stream = session.request({ ':path': '/version', 'x-forwarded-for': client });
      stream.on('response', (headers) => resolve(Number(headers[':status'])));
      stream.resume().end();
    });
  const flood = Array.from({ length: 800 }, async () => {
    const status = await ask(ALICE);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  });
  const others = await Promise.all(Array.from({ length: 50 }, () => ask(BOB)));
  await Promise.all(flood);
  session.close();
  assert.ok(others.every((status) => status === 200));
  // The last tenth of the burst is reserved.
  assert.equal(statuses.get(429), 710, JSON.stringify([...statuses]));
});

test('new connections of a client that flooded are dropped for some seconds; those of others are not', () => {
  let now = 0;
  const limiter = new Limiter({
    limits: defaultConfig().limits.perClient,
    maxWatches: 1,
    trustedProxies: parseCidrs('203.0.113.0/24'),
    log: { warn() {} },
    now: () => now,
  });
  const from = (remoteAddress: string): Socket => ({ remoteAddress }) as Socket;
  const verdict = (address: string): string | undefined => limiter.connect(from(address))?.verdict;
  const flooders = [ALICE, '2001:db8:0:7::1', '203.0.113.1', '127.0.0.1'];
  for (const address of flooders) {
    assert.notEqual(verdict(address), 'DROPPED');
    limiter.pause(from(address));
  }
  assert.equal(verdict(ALICE), 'DROPPED');
  assert.equal(verdict('2001:db8:0:7:1:2:3:4'), 'DROPPED', 'of the same network');
  assert.equal(verdict(BOB), 'WELCOME');
  assert.equal(verdict('2001:db8:0:8::1'), 'WELCOME');
  assert.equal(verdict('203.0.113.1'), undefined, 'a trusted proxy has other clients, too');
  assert.equal(verdict('127.0.0.1'), undefined, 'this machine has no limit');
  now += REQUEST_LIMITS.floodPause - 1;
  assert.equal(verdict(ALICE), 'DROPPED');
  now += 1;
  assert.equal(verdict(ALICE), 'WELCOME');
});

for (const [how, tls] of [
  ['in plaintext', undefined],
  ['over TLS', IDENTITY],
] as const) {
  test(`connections of a client above its limit get an error or are dropped, until others end, ${how}`, async (t) => {
    const { limits } = defaultConfig();
    const log = { warn() {}, error() {} };
    const limiter = new Limiter({
      limits: { ...limits.perClient, connections: 2 },
      maxWatches: 1,
      trustedProxies: undefined,
      log,
    });
    // All sockets are local; each gets the address that is next in this list.
    const owners: string[] = [];
    const port = await openPort({
      host: '127.0.0.1',
      port: 0,
      tls,
      handler: (_, response) => response.end('fine'),
      log,
      connect: () => limiter.connect({ remoteAddress: owners.shift() } as Socket),
    });
    t.after(() => port.drain(0));
    const sockets: Socket[] = [];
    const open = async (owner: string, protocol = 'http/1.1'): Promise<string> => {
      owners.push(owner);
      const to = { port: port.port, host: '127.0.0.1' };
      const socket =
        tls === undefined
          ? connect(to)
          : connectTls({ ...to, ca: CA, servername: 'localhost', ALPNProtocols: [protocol] });
      sockets.push(socket);
      const heard = new Promise<string>((resolve) => {
        socket.on('error', () => {});
        socket.once('data', (data: Buffer) => resolve(data.toString('latin1')));
        socket.once('close', () => resolve('closed'));
      });
      socket.write(protocol === 'h2' ? HELLO : 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return heard;
    };
    assert.match(await open(ALICE), /^HTTP\/1\.1 200/);
    assert.match(await open(ALICE), /^HTTP\/1\.1 200/);
    const refused = await open(ALICE);
    assert.match(
      refused,
      /^HTTP\/1\.1 503[^]*Retry-After: 5[^]*This client has reached its limit on connections/,
    );
    assert.equal(await open(ALICE, 'h2'), 'closed', 'HTTP/2 has no error for it');
    assert.match(await open(BOB), /^HTTP\/1\.1 200/);
    assert.notEqual(await open(BOB, 'h2'), 'closed');
    const held = Array.from({ length: REQUEST_LIMITS.clientRefusals }, () => {
      owners.push(ALICE);
      const socket = connect(port.port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      return once(socket, 'connect');
    });
    await Promise.all(held);
    assert.equal(await open(ALICE), 'closed', 'above the number of those that get an error');
    for (const socket of sockets) socket.destroy();
    await waitFor('room', async () => (await open(ALICE)).startsWith('HTTP/1.1 200'));
  });
}

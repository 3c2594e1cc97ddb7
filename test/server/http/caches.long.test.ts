import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, request as requestHttp1 } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import type { DescMethod } from '@bufbuild/protobuf';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import * as Etcd from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { parseCidrs } from '../../../src/values/ip.ts';
import { freePorts } from '../../etcd/harness/ports.ts';
import { defaultConfig, type RunningService, startService } from '../../support/service.ts';

const SERVICES = [
  DiscoveryService,
  Etcd.KV,
  Etcd.Watch,
  Etcd.Cluster,
  Etcd.Maintenance,
  Etcd.Auth,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
];

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Its response comes in parts, or late. */
  readonly waits?: true;
}

const route = (method: string, path: string, more: Partial<Route> = {}): Route => ({
  name: more.waits ? `${method} ${path}, a wait` : `${method} ${path}`,
  method,
  path,
  ...more,
});
const HTML = { headers: { Accept: 'text/html' } };
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const FROM = { 'X-Forwarded-For': '198.51.100.1' };

/** Returns all routes except RPCs, with a response of each kind. */
const pages = (token: string): readonly Route[] => [
  ...[
    '/',
    '/health',
    '/livez',
    '/readyz',
    '/robots.txt',
    '/openapi.json',
    '/metrics',
    '/version',
    '/favicon.ico',
    '/v2',
  ].map((path) => route('GET', path)),
  route('HEAD', '/'),
  route('DELETE', '/health'),
  route('GET', '/new?size=3'),
  route('GET', '/new?size=none'),
  route('PUT', '/new?size=3'),
  route('POST', '/new?size=3'),
  route('GET', `/${token}`),
  route('GET', `/_start/${token}?etcd=3.7&name=infra1&ip=10.0.0.1`),
  route('GET', `/_start/${token}?etcd=3.7&format=json`),
  route('HEAD', `/${token}`),
  route('GET', `/${token}/_config/size`),
  route('GET', `/${token}/_config`),
  route('GET', `/${token}/nobody`),
  route('GET', '/nobody-knows-this-token'),
  route('GET', '/a//path/../of/dots'),
  route('OPTIONS', `/${token}`),
  route('PATCH', `/${token}`),
  route('PUT', `/${token}/1?prevExist=false`, {
    headers: FORM,
    body: 'value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380',
  }),
  route('GET', `/v2/keys/_etcd/registry/${token}`),
  route('GET', `/v2/keys/discovery/${token}`),
  route('GET', `/${token}?wait=true&recursive=true`, { waits: true }),
  route('GET', `/${token}?wait=true&recursive=true&stream=true`, { waits: true }),
  route('GET', `/v2/keys/discovery/${token}?wait=true&recursive=true`, { waits: true }),
  route('GET', '/', HTML),
  route('GET', `/${token}`, HTML),
  route('GET', `/${token}/`, HTML),
  route('GET', '/nobody-knows-this-token', HTML),
  route('GET', '/_page/none.js'),
  route('GET', '/_page/new'),
  route('POST', '/_page/new', { headers: FORM, body: 'size=3' }),
  route('PUT', '/_page/new'),
];

const isStream = ({ methodKind }: DescMethod): boolean => methodKind !== 'unary';
const frame = Buffer.alloc(5);
const rpcs = (token: string): readonly Route[] =>
  SERVICES.flatMap(({ typeName, methods }) =>
    methods.flatMap((method) => {
      const path = `/${typeName}/${method.name}`;
      const waits = isStream(method) ? ({ waits: true } as const) : {};
      const json = isStream(method) ? 'application/connect+json' : 'application/json';
      const message = `{"token":"${token}"}`;
      const enveloped = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), Buffer.from(message)]);
      return [
        route('POST', path, {
          name: `Connect ${path}`,
          headers: { 'Content-Type': json },
          body: isStream(method) ? enveloped : message,
          ...waits,
        }),
        route('POST', path, {
          name: `gRPC-Web ${path}`,
          headers: { 'Content-Type': 'application/grpc-web+proto' },
          body: frame,
          ...waits,
        }),
        route('POST', path, {
          name: `gRPC ${path}`,
          headers: { 'Content-Type': 'application/grpc', TE: 'trailers' },
          body: frame,
          ...waits,
        }),
      ];
    }),
  );
const otherRpcs = (token: string): readonly Route[] => [
  route(
    'GET',
    `/discovery.v1.DiscoveryService/GetCluster?encoding=json&connect=v1&message=${encodeURIComponent(JSON.stringify({ token }))}`,
  ),
  route('GET', `/discovery.v1.DiscoveryService/GetCluster?encoding=json&connect=v1&message=none`),
  route('GET', '/discovery.v1.DiscoveryService/CreateToken'),
  route('POST', '/discovery.v1.DiscoveryService/Nothing'),
  route('POST', '/nobody.v1.Nobody/Nothing', { headers: { 'Content-Type': 'application/grpc' } }),
  route('OPTIONS', '/discovery.v1.DiscoveryService/GetCluster', { headers: { Origin: 'https://a.example' } }),
];

/** Returns the headers of a response, without its body. */
type Ask = (asked: Route) => Promise<IncomingHttpHeaders>;

const overHttp1 =
  (port: number): Ask =>
  ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const request = requestHttp1({ host: '127.0.0.1', port, method, path, headers: { ...headers } });
      request.once('error', reject);
      request.once('response', (response) => {
        resolve(response.headers);
        response.destroy();
      });
      request.end(body);
    });

const overHttp2 =
  (session: ClientHttp2Session): Ask =>
  ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':method': method, ':path': path, ...headers });
      stream.once('error', reject);
      stream.once('response', (response) => {
        stream.off('error', reject).on('error', () => {});
        resolve(response);
        stream.close();
      });
      stream.end(body);
    });

/** Bytes that are not valid HTTP, or too large. */
const BAD: Readonly<Record<string, string>> = {
  'no HTTP': 'hello there\r\n\r\n',
  'a bad Host': 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n',
  'no Host': 'GET /health HTTP/1.1\r\n\r\n',
  CONNECT: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/2.0 as text': 'GET /health HTTP/2.0\r\nHost: a\r\n\r\n',
  'another scheme': 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'large headers': `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  'many headers': `GET / HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(101)}\r\n`,
  'an unknown expectation': 'GET /health HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n',
};

function headFor(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.once('error', reject).once('close', () => reject(new Error(`no headers: ${text}`)));
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      resolve(text.slice(0, end));
      socket.destroy();
    });
  });
}

/** Uses its own token each time, because the last calls delete it. */
const all = (token: string): readonly Route[] => [...pages(token), ...otherRpcs(token), ...rpcs(token)];

suite('caches keep nothing of the service, and proxies do not buffer streams:', () => {
  let service: RunningService;
  let session: ClientHttp2Session;
  before(async () => {
    service = await startService();
    session = connectHttp2(service.url);
  });
  after(async () => {
    session.destroy();
    await service.stop();
  });

  const newToken = async (): Promise<string> =>
    (await service.client.createToken({ size: 3 })).cluster?.token ?? '';
  const check = async (ask: Ask, asked: Route): Promise<void> => {
    const headers = await ask(asked);
    assert.equal(headers['cache-control'], 'no-store', asked.name);
    if (asked.waits) assert.equal(headers['x-accel-buffering'], 'no', asked.name);
  };

  test('over HTTP/1.1', async () => {
    const ask = overHttp1(service.port);
    const token = await newToken();
    for (const asked of all(token)) await check(ask, asked);
  });

  test('over HTTP/2', async () => {
    const ask = overHttp2(session);
    const token = await newToken();
    for (const asked of all(token)) await check(ask, asked);
    await check(ask, route('GET', '/health', { name: 'an expectation', headers: { Expect: 'wonders' } }));
  });

  for (const [name, bytes] of Object.entries(BAD)) {
    test(`errors of the port itself: ${name}`, async () => {
      assert.match(await headFor(service.port, bytes), /\r\nCache-Control: no-store(\r\n|$)/i);
    });
  }

  test("only the page's own files are cached, under names that change with them", async () => {
    const page = await (await fetch(service.url, HTML)).text();
    const files = [...page.matchAll(/(?:src|href)="\.?\/?(_page\/[^"]+\.(?:js|css|svg))"/g)].map(
      ([, path]) => path,
    );
    assert.ok(files.length >= 2, page);
    for (const path of files) {
      const { headers } = await fetch(`${service.url}/${path}`);
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable', path);
    }
  });
});

test('a rate limit error is never cached', async (t) => {
  const { limits } = defaultConfig();
  const requests = { burst: 1, interval: 3_600_000 };
  const service = await startService(
    {},
    {
      trustedProxies: parseCidrs('127.0.0.0/8'),
      limits: { ...limits, perClient: { ...limits.perClient, requests } },
    },
  );
  t.after(() => service.stop());
  await fetch(service.url, { headers: FROM });
  for (const [path, init] of [
    ['/'],
    ['/new?size=3'],
    ['/', HTML],
    [
      '/discovery.v1.DiscoveryService/GetCluster',
      { method: 'POST', headers: { 'Content-Type': 'application/json' } },
    ],
  ] as const) {
    const { headers: own = {}, ...rest }: { headers?: Record<string, string>; method?: string } = init ?? {};
    const { status, headers } = await fetch(`${service.url}${path}`, {
      ...rest,
      headers: { ...own, ...FROM },
    });
    assert.equal(status, 429, path);
    assert.equal(headers.get('cache-control'), 'no-store', path);
  }
});

test('responses of the metrics port are never cached', async (t) => {
  const [port = 0] = await freePorts(1);
  const service = await startService({}, { metricsListen: { host: '127.0.0.1', port } });
  t.after(() => service.stop());
  for (const path of ['/metrics', '/livez', '/readyz', '/nothing']) {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.equal(headers.get('cache-control'), 'no-store', path);
  }
});

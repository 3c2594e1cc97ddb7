import assert from 'node:assert/strict';
import { Server } from 'node:http';
import { after, before, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { context, SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { httpRoute } from '../../../src/server/telemetry/http-route.ts';
import { SpawnedService } from '../../support/child.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { ended } from '../../support/tracing-sdk.ts';
import { waitFor } from '../../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

let traces = 0;
/** Returns a caller's trace with its `traceparent` header. */
function newTrace(): { id: string; headers: Record<string, string> } {
  traces += 1;
  const id = traces.toString(16).padStart(32, 'a');
  return { id, headers: { traceparent: `00-${id}-00f067aa0ba902b7-01` } };
}

const of = (traceId: string): ReadableSpan[] =>
  ended.filter((span) => span.spanContext().traceId === traceId);

/** Returns the spans of a trace once its request has ended. */
async function spansOf(traceId: string): Promise<{ server: ReadableSpan; store: ReadableSpan[] }> {
  const servers = (): ReadableSpan[] => of(traceId).filter(({ kind }) => kind === SpanKind.SERVER);
  await waitFor('the span of the request', () => servers().length > 0);
  const [server] = servers();
  assert.ok(server);
  return { server, store: of(traceId).filter((span) => span !== server) };
}

const rpcAttributes = ({ attributes }: ReadableSpan): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => /^(rpc|error)\./.test(name)));

const names = (spans: readonly ReadableSpan[]): string[] => spans.map(({ name }) => name);

test("a v2 request is a span of the caller's trace, with the store's spans below it", async () => {
  const { id, headers } = newTrace();
  const url = await (await fetch(`${service.url}/new?size=3`, { headers })).text();
  const { server, store } = await spansOf(id);
  assert.equal(server.name, 'GET /new');
  assert.equal(server.attributes['http.route'], '/new');
  assert.equal(server.parentSpanContext?.spanId, '00f067aa0ba902b7');
  assert.equal(server.attributes['http.response.status_code'], 200);
  assert.deepEqual(names(store), ['store write']);
  assert.equal(store[0]?.parentSpanContext?.spanId, server.spanContext().spanId);

  const put = newTrace();
  const body = new URLSearchParams({ value: 'infra1=http://10.0.0.1:2380' });
  await fetch(`${url}/1?prevExist=false`, { method: 'PUT', headers: put.headers, body });
  assert.deepEqual(names((await spansOf(put.id)).store), ['store write']);
  const line = service.logged.find((each) => each.includes(put.id));
  assert.ok(line?.includes('"requestId"'), line);
});

test('Connect and gRPC calls are spans with their names and codes', async () => {
  const [json, grpc] = [newTrace(), newTrace()];
  await fetch(`${service.url}/discovery.v1.DiscoveryService/GetCluster`, {
    method: 'POST',
    headers: { ...json.headers, 'Content-Type': 'application/json' },
    body: '{"token": "nobody"}',
  });
  const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
  await client.createToken({ token: 'traced', size: 1 }, { headers: grpc.headers });
  const [first, second] = [await spansOf(json.id), await spansOf(grpc.id)];
  assert.deepEqual(
    [first.server.name, first.server.attributes['discovery.code']],
    ['discovery.v1.DiscoveryService/GetCluster', 'not_found'],
  );
  assert.deepEqual(rpcAttributes(first.server), {
    'rpc.system.name': 'connectrpc',
    'rpc.method': 'discovery.v1.DiscoveryService/GetCluster',
    'rpc.response.status_code': 'not_found',
  });
  assert.deepEqual(rpcAttributes(second.server), {
    'rpc.system.name': 'grpc',
    'rpc.method': 'discovery.v1.DiscoveryService/CreateToken',
    'rpc.response.status_code': 'OK',
  });
  assert.deepEqual(names(first.store), ['store read']);
  assert.deepEqual(
    [second.server.name, second.server.attributes['discovery.code']],
    ['discovery.v1.DiscoveryService/CreateToken', 'ok'],
  );
  assert.deepEqual(names(second.store), ['store write']);
});

test('a failure of the service has its type, and an unknown call has no method', async () => {
  const [unknown, over] = [newTrace(), newTrace()];
  await fetch(`${service.url}/nobody.v1.Nobody/Nothing`, { method: 'POST', headers: unknown.headers });
  await service.client.createToken({ token: 'over', size: 3 });
  const message = Buffer.from('{"token":"over"}');
  const watch = await fetch(`${service.url}/discovery.v1.DiscoveryService/WatchMembers`, {
    method: 'POST',
    headers: { ...over.headers, 'Content-Type': 'application/connect+json', 'Connect-Timeout-Ms': '50' },
    body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]),
  });
  await watch.text();
  assert.equal((await spansOf(unknown.id)).server.attributes['rpc.method'], '_OTHER');
  const { server } = await spansOf(over.id);
  assert.deepEqual(rpcAttributes(server), {
    'rpc.system.name': 'connectrpc',
    'rpc.method': 'discovery.v1.DiscoveryService/WatchMembers',
    'rpc.response.status_code': 'deadline_exceeded',
    'error.type': 'deadline_exceeded',
  });
});

test('a request is below the span that an SDK has begun for it, also among concurrent requests', async (t) => {
  // As the instrumentation of node:http does.
  const tracer = trace.getTracer('instrumentation');
  const emit = Reflect.get(Server.prototype, 'emit') as (event: string, ...args: unknown[]) => boolean;
  t.after(() => {
    Server.prototype.emit = emit;
  });
  const instrumented = new Map<string, string>();
  Server.prototype.emit = function (event: string, ...args: unknown[]): boolean {
    const pass = (): boolean => emit.call(this, event, ...args);
    if (event !== 'request') return pass();
    const span = tracer.startSpan('instrumented');
    instrumented.set(span.spanContext().traceId, span.spanContext().spanId);
    try {
      return context.with(trace.setSpan(context.active(), span), pass);
    } finally {
      span.end();
    }
  };
  await Promise.all(Array.from({ length: 20 }, () => fetch(`${service.url}/version`)));
  assert.equal(instrumented.size, 20);
  for (const [traceId, spanId] of instrumented) {
    const { server } = await spansOf(traceId);
    assert.equal(server.parentSpanContext?.spanId, spanId);
  }
});

test('a route is one of a few, without anything that a client wrote', () => {
  const routes: Readonly<Record<string, string | undefined>> = {
    '/new': '/new',
    '/version': '/version',
    '/abc': '/{token}',
    '/abc/': '/{token}',
    '/abc/1': '/{token}/{id}',
    '/abc/_config/size': '/{token}/_config/size',
    '/v2/keys/_etcd/registry/abc/1': '/v2/keys/_etcd/registry/{token}/{id}',
    '/v2/keys/discovery/abc': '/v2/keys/discovery/{token}',
    '/v2/keys/other/abc': undefined,
    '/a/b/c/d': undefined,
  };
  for (const [path, route] of Object.entries(routes))
    assert.equal(httpRoute({ surface: 'v2', path }), route, path);
  for (const [path, route] of Object.entries({
    '/': '/',
    '/abc': '/{token}',
    '/_page/a.js': '/_page/{file}',
  }))
    assert.equal(httpRoute({ surface: 'page', path }), route);
});

test('a watch is one span, with its reads', async () => {
  const { id, headers } = newTrace();
  await service.client.createToken({ token: 'watched', size: 3 });
  const leave = new AbortController();
  const options = { headers, signal: leave.signal };
  const stream = service.client.watchMembers({ token: 'watched' }, options)[Symbol.asyncIterator]();
  await stream.next();
  leave.abort();
  await assert.rejects(async () => stream.next());
  const { server, store } = await spansOf(id);
  assert.equal(server.name, 'discovery.v1.DiscoveryService/WatchMembers');
  assert.ok(names(store).includes('store read'), String(names(store)));
});

test('no span contains a token', async () => {
  const { id, headers } = newTrace();
  const token = 'secret-token-0123456789';
  await fetch(`${service.url}/${token}?wait=true`, { headers });
  await fetch(`${service.url}/${token}/_config/size`, { method: 'PUT', headers, body: 'value=3' });
  await waitFor('both spans', () => of(id).filter(({ kind }) => kind === SpanKind.SERVER).length === 2);
  const seen = ended.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  assert.ok(!JSON.stringify(seen).includes('secret-token'));
});

test('an SDK only needs to be preloaded with node --import', async (t) => {
  const sdk = new URL('../../support/tracing-sdk.js', import.meta.url).href;
  const env = { NODE_OPTIONS: `--import ${sdk}`, PRINT_SPANS: '1' };
  const { id, headers } = newTrace();
  const spawned = await SpawnedService.start([], { env });
  t.after(() => spawned.remove());
  await fetch(`${spawned.url}/new?size=3`, { headers });
  const { command } = spawned;
  await waitFor('the span of the request', () => command.stderr.includes('"GET /new"'));
  assert.ok(command.stderr.includes(id));
});

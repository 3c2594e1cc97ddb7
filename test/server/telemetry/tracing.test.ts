import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
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
/** A caller's trace, as `traceparent` names it. */
function newTrace(): { id: string; headers: Record<string, string> } {
  traces += 1;
  const id = traces.toString(16).padStart(32, 'a');
  return { id, headers: { traceparent: `00-${id}-00f067aa0ba902b7-01` } };
}

const of = (traceId: string): ReadableSpan[] =>
  ended.filter((span) => span.spanContext().traceId === traceId);

/** The spans of a trace, once its request is over: the store's, and then the server's. */
async function spansOf(traceId: string): Promise<{ server: ReadableSpan; store: ReadableSpan[] }> {
  const servers = (): ReadableSpan[] => of(traceId).filter(({ kind }) => kind === SpanKind.SERVER);
  await waitFor('the span of the request', () => servers().length > 0);
  const [server] = servers();
  assert.ok(server);
  return { server, store: of(traceId).filter((span) => span !== server) };
}

const names = (spans: readonly ReadableSpan[]): string[] => spans.map(({ name }) => name);

test('a v2 request is a span of the caller’s trace, and what the store does for it is below', async () => {
  const { id, headers } = newTrace();
  const url = await (await fetch(`${service.url}/new?size=3`, { headers })).text();
  const { server, store } = await spansOf(id);
  assert.equal(server.name, 'GET v2');
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

test('RPCs over Connect and gRPC are spans by their names, with their codes', async () => {
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
    ['GetCluster', 'not_found'],
  );
  assert.deepEqual(names(first.store), ['store read']);
  assert.deepEqual([second.server.name, second.server.attributes['discovery.code']], ['CreateToken', 'ok']);
  assert.deepEqual(names(second.store), ['store write']);
});

test('a watch is one span, with what it reads', async () => {
  const { id, headers } = newTrace();
  await service.client.createToken({ token: 'watched', size: 3 });
  const leave = new AbortController();
  const options = { headers, signal: leave.signal };
  const stream = service.client.watchMembers({ token: 'watched' }, options)[Symbol.asyncIterator]();
  await stream.next();
  leave.abort();
  await assert.rejects(async () => stream.next());
  const { server, store } = await spansOf(id);
  assert.equal(server.name, 'WatchMembers');
  assert.ok(names(store).includes('store read'), String(names(store)));
});

test('no span holds a token', async () => {
  const { id, headers } = newTrace();
  const token = 'secret-token-0123456789';
  await fetch(`${service.url}/${token}?wait=true`, { headers });
  await fetch(`${service.url}/${token}/_config/size`, { method: 'PUT', headers, body: 'value=3' });
  await waitFor('both spans', () => of(id).filter(({ kind }) => kind === SpanKind.SERVER).length === 2);
  const seen = ended.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
  assert.ok(!JSON.stringify(seen).includes('secret-token'));
});

test('an SDK is preloaded with node --import, and nothing else is needed', async (t) => {
  const sdk = new URL('../../support/tracing-sdk.js', import.meta.url).href;
  const env = { NODE_OPTIONS: `--import ${sdk}`, PRINT_SPANS: '1' };
  const { id, headers } = newTrace();
  const spawned = await SpawnedService.start([], { env });
  t.after(() => spawned.remove());
  await fetch(`${spawned.url}/new?size=3`, { headers });
  const { command } = spawned;
  await waitFor('the span of the request', () => command.stderr.includes('"GET v2"'));
  assert.ok(command.stderr.includes(id));
});

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { parseToken } from '../../../src/discovery/parse.ts';
import { millis } from '../../../src/discovery/types.ts';
import { Histogram } from '../../../src/server/telemetry/histogram.ts';
import { observeStore } from '../../../src/server/telemetry/observed-store.ts';
import { openTracing } from '../../../src/server/telemetry/tracing.ts';
import { emptyDisk, openMemoryStore } from '../../store/support/memory.ts';
import { failingStore } from '../../support/failing-store.ts';
import { emptyMetrics, scrape } from '../../support/scrape.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService({ retention: 0 });
});
after(() => service.stop());

/** Waits until a sample has a value: requests are counted once their response is sent. */
async function waitForSample(series: string, value: number): Promise<void> {
  let seen: number | undefined;
  await waitFor(`${series} to be ${value}`, async () => {
    seen = (await scrape(service.url)).get(series);
    return seen === value;
  }).catch((error: unknown) => assert.equal(seen, value, `${series}: ${String(error)}`));
}

const member = (token: string, id: string): Parameters<RunningService['client']['register']>[0] => ({
  token,
  memberId: id,
  name: `infra${id}`,
  peerUrls: [`http://10.0.0.${id}:2380`],
});

test('changes of tokens are counted, on every interface', async () => {
  const { client, url } = service;
  await client.createToken({ token: 'typed', size: 1 });
  const made = await (await fetch(`${url}/new?size=2`)).text();
  await client.register(member('typed', '1'));
  await fetch(`${made}/2`, {
    method: 'PUT',
    body: new URLSearchParams({ value: 'infra2=http://10.0.0.2:2380' }),
  });
  await client.deleteToken({ token: 'typed' });
  await client.reopenToken({ token: made.split('/').at(-1) ?? '', ttl: { seconds: 7200n } });
  const samples = await scrape(url);
  const change = (name: string): number | undefined =>
    samples.get(`discovery_token_changes_total{change="${name}"}`);
  assert.deepEqual(['created', 'completed', 'deleted', 'reopened', 'removed'].map(change), [2, 1, 1, 1, 0]);
  assert.equal(samples.get('discovery_members_registered_total'), 2);
  assert.equal(samples.get('discovery_tokens'), 2);
  assert.ok((samples.get('discovery_store_duration_seconds_count{operation="write"}') ?? 0) >= 6);
  assert.equal(
    samples.get('discovery_store_batch_size_sum{operation="write"}'),
    samples.get('discovery_store_duration_seconds_count{operation="write"}'),
  );
});

test('rejected calls are counted by reason, on every interface', async () => {
  const before = (await scrape(service.url)).get('discovery_refusals_total{reason="TOKEN_NOT_FOUND"}') ?? 0;
  await assert.rejects(service.client.getCluster({ token: 'nobody' }));
  assert.equal((await fetch(`${service.url}/nobody`)).status, 404);
  await waitForSample('discovery_refusals_total{reason="TOKEN_NOT_FOUND"}', before + 2);
});

test('requests are counted and timed by interface, and RPCs by name', async () => {
  await service.client.createToken({ token: 'timed', size: 1 });
  await waitForSample('discovery_request_duration_seconds_count{surface="rpc",method="CreateToken"}', 2);
  await waitForSample('discovery_requests_total{surface="rpc",method="CreateToken",code="ok"}', 2);
});

test('concurrent RPCs of one client are each counted with their own code', async () => {
  await service.client.createToken({ token: 'crowd', size: 1 });
  const clients = [
    service.client,
    createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url })),
  ];
  const asked = clients.flatMap((client) =>
    Array.from({ length: 20 }, (_, index) =>
      client.listMembers({ token: index % 2 === 0 ? 'crowd' : 'none' }).catch(() => {}),
    ),
  );
  await Promise.all(asked);
  await waitForSample('discovery_requests_total{surface="rpc",method="ListMembers",code="ok"}', 20);
  await waitForSample('discovery_requests_total{surface="rpc",method="ListMembers",code="not_found"}', 20);
});

test('waits are counted while they are open, and not timed as calls', async () => {
  const { client, url } = service;
  await client.createToken({ token: 'waited', size: 3 });
  const timed = async (): Promise<number> =>
    (await scrape(url)).get('discovery_request_duration_seconds_count{surface="v2",method="GET"}') ?? 0;
  const before = await timed();
  const leave = new AbortController();
  // Kept to the end, because a garbage-collected response is closed.
  const polls = await Promise.all(
    ['wait=true&recursive=true', 'wait=1&recursive=true', 'recursive=t&%77ait=T'].map((query) =>
      fetch(`${url}/waited?${query}`, { signal: leave.signal }),
    ),
  );
  const stream = client.watchMembers({ token: 'waited' }, { signal: leave.signal })[Symbol.asyncIterator]();
  await stream.next();
  const open = await scrape(url);
  assert.equal(open.get('discovery_waits{surface="v2"}'), 3);
  assert.equal(open.get('discovery_waits{surface="rpc"}'), 1);
  assert.equal(open.get('discovery_watches'), 4);
  assert.ok(polls.every(({ status }) => status === 200));
  leave.abort();
  await assert.rejects(async () => stream.next());
  await waitForSample('discovery_waits{surface="v2"}', 0);
  await waitForSample('discovery_waits{surface="rpc"}', 0);
  await waitForSample('discovery_wait_duration_seconds_count{surface="v2"}', 3);
  await waitForSample('discovery_wait_duration_seconds_count{surface="rpc"}', 1);
  assert.equal(await timed(), before);
});

test('refusals of the port itself are counted', async () => {
  const socket = connect(service.port, '127.0.0.1');
  socket.resume().write('this is not HTTP\r\n\r\n');
  await waitForSample('discovery_port_refusals_total{reason="malformed"}', 1);
  socket.destroy();
});

test('a store failure is counted, a rejected write is not', async () => {
  const metrics = emptyMetrics();
  const failing = failingStore(openMemoryStore(emptyDisk(), { maxTokens: 10, maxBytes: 1e12 }));
  const store = observeStore(failing.store, metrics.store);
  const token = parseToken('any');
  const refuse = (): never => {
    throw new DiscoveryError('CLUSTER_FULL', 'full');
  };
  await assert.rejects(store.write(token, refuse), { reason: 'CLUSTER_FULL' });
  failing.away = 'ALL';
  await assert.rejects(store.write(token, refuse), { reason: 'STORE_UNAVAILABLE' });
  await assert.rejects(store.read(token));
  await assert.rejects(store.sweep(millis(0), 1));
  metrics.swept(undefined, 0.5);
  metrics.swept(3, 0.5);
  const text = await metrics.text();
  for (const line of [
    'discovery_store_failures_total{operation="write"} 1',
    'discovery_store_failures_total{operation="read"} 1',
    'discovery_store_failures_total{operation="sweep"} 1',
    'discovery_store_failures_total{operation="events"} 0',
    'discovery_store_duration_seconds_count{operation="write"} 2',
    'discovery_sweeps_total{result="failed"} 1',
    'discovery_sweeps_total{result="ok"} 1',
    'discovery_sweep_seconds_total 1',
    'discovery_token_changes_total{change="removed"} 3',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in:\n${text}`);
  }
});

test('a histogram counts each value in its bucket and in those above', () => {
  const histogram = new Histogram('h', 'Help.', [1, 2.5]);
  const series = histogram.with({ a: 'b' });
  for (const value of [0.5, 1, 2, 100]) series.observe(value);
  assert.equal(
    histogram.text(),
    `# HELP h Help.
# TYPE h histogram
h_bucket{a="b",le="1"} 2
h_bucket{a="b",le="2.5"} 3
h_bucket{a="b",le="+Inf"} 4
h_sum{a="b"} 103.5
h_count{a="b"} 4
`,
  );
});

test('without an SDK nothing is traced', () => {
  assert.equal(openTracing('0'), undefined);
});

import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, test } from 'node:test';
import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { healthService } from '../../src/grpc/health.ts';
import { addServices } from '../support/routes.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const connect = (baseUrl: string): ReturnType<typeof createClient<typeof Health>> =>
  createClient(Health, createGrpcTransport({ baseUrl }));

async function* statuses(answers: AsyncIterable<HealthCheckResponse>): AsyncGenerator<Status, undefined> {
  for await (const { status } of answers) yield status;
  return undefined;
}

test('reports each service and the server as serving, and an unknown service as not found', async () => {
  const client = connect(service.url);
  for (const name of ['', 'discovery.v1.DiscoveryService', 'etcdserverpb.KV', 'grpc.health.v1.Health']) {
    assert.equal((await client.check({ service: name })).status, Status.SERVING, name);
  }
  await assert.rejects(client.check({ service: 'nobody' }), { code: Code.NotFound });
});

test('lists all services with their status in one call', async () => {
  const { statuses } = await connect(service.url).list({});
  for (const name of ['', 'discovery.v1.DiscoveryService', 'etcdserverpb.KV', 'grpc.health.v1.Health'])
    assert.equal(statuses[name]?.status, Status.SERVING, name);
  assert.ok(!('nobody' in statuses));
});

test('supports a probe over HTTP/1.1, and does not log it', async () => {
  const answer = await fetch(`${service.url}/grpc.health.v1.Health/Check`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  });
  assert.deepEqual(await answer.json(), { status: 'SERVING' });
  const probes = (): Array<{ level: unknown }> =>
    service.logged
      .filter((line) => line.includes('Health'))
      .map((line) => JSON.parse(line) as { level: unknown });
  await waitFor('the request to be logged', () => probes().length > 0);
  assert.deepEqual([...new Set(probes().map(({ level }) => level))], ['debug']);
});

test('tells watchers that the service stops, and does not wait for them', async () => {
  const stopping = await startService({}, { grace: 60_000 });
  const client = connect(stopping.url);
  const watches = ['', 'nobody'].map((name) => statuses(client.watch({ service: name })));
  const first = await Promise.all(watches.map((watch) => watch.next()));
  assert.deepEqual(
    first.map(({ value }) => value),
    [Status.SERVING, Status.SERVICE_UNKNOWN],
  );
  const stopped = stopping.stop();
  const last = await watches[0]?.next();
  assert.equal(last?.value, Status.NOT_SERVING);
  for (const watch of watches) {
    await assert.rejects(
      async () => watch.next(),
      (error) => error instanceof ConnectError && error.code === Code.Unavailable,
    );
  }
  await stopped;
});

test('tells watchers when the store fails and recovers, and checks it once for all of them', async () => {
  let problem: string | undefined;
  let looks = 0;
  const stopping = new AbortController();
  const transport = createRouterTransport((router) => {
    const health = healthService([], {
      notReady: async () => {
        looks += 1;
        return problem;
      },
      stopping: stopping.signal,
    });
    addServices(router, [health]);
  });
  const client = createClient(Health, transport);
  const leave = new AbortController();
  setMaxListeners(0, leave.signal);
  const watches = Array.from({ length: 50 }, () => statuses(client.watch({}, { signal: leave.signal })));
  const next = async (): Promise<Set<Status | undefined>> =>
    new Set((await Promise.all(watches.map((watch) => watch.next()))).map(({ value }) => value));
  assert.deepEqual(await next(), new Set([Status.SERVING]));
  problem = 'the disk is gone';
  assert.equal((await client.check({})).status, Status.NOT_SERVING);
  const before = looks;
  assert.deepEqual(await next(), new Set([Status.NOT_SERVING]));
  problem = undefined;
  assert.deepEqual(await next(), new Set([Status.SERVING]));
  // Each watch is notified, and one check serves all of them in between.
  assert.ok(looks - before < 3 * watches.length, `${looks - before} looks`);
  leave.abort();
});

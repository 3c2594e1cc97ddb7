import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { RegisterMode, RegisterOutcome } from '../../gen/discovery/v1/service_pb.ts';
import { type ClientOptions, createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { isTransient } from '../../src/client/transient.ts';
import { startService as startOwn } from '../../src/server/start.ts';
import { tokenLabel } from '../../src/server/telemetry/redact.ts';
import { freePorts } from '../etcd/harness/ports.ts';
import { infra } from '../rpc/calls.ts';
import { type RunningService, startService } from '../support/service.ts';
import { CA, IDENTITY } from '../tls/files.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

/** A client through a proxy that loses the first response to each method after the service has handled the call. */
async function spoiled(
  spoil: (response: ServerResponse) => void,
  options: ClientOptions = {},
): Promise<{ client: DiscoveryClient; calls: Map<string, number>; close: () => void }> {
  const calls = new Map<string, number>();
  const proxy = createServer((incoming: IncomingMessage, response) => {
    const method = incoming.url?.split('/').at(-1) ?? '';
    const count = (calls.get(method) ?? 0) + 1;
    calls.set(method, count);
    const { method: verb = 'POST', headers } = incoming;
    const outgoing = request(`${service.url}${incoming.url}`, { method: verb, headers }, (answer) => {
      if (count === 1) {
        answer.resume().on('end', () => spoil(response));
        return;
      }
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const { port } = proxy.address() as AddressInfo;
  return {
    client: createDiscoveryClient(`http://127.0.0.1:${port}`, options),
    calls,
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}

const SPOILS: Record<string, (response: ServerResponse) => void> = {
  'is cut off': (response) => response.destroy(),
  'is a 503 of a proxy': (response) => response.writeHead(503).end('away'),
  'never comes': () => {},
};

for (const [how, spoil] of Object.entries(SPOILS)) {
  test(`when the response ${how}, the client retries only calls that are safe to repeat`, async (t) => {
    const isSilent = how === 'never comes';
    const { client, calls, close } = await spoiled(spoil, isSilent ? { tryTimeoutMs: 300 } : {});
    t.after(close);
    const token = `chosen-${how.replaceAll(' ', '-')}`;
    const made = await client.createToken({ token, size: 3 });
    assert.equal(made.created, false, 'the first call created it');
    assert.ok((await client.register({ token, ...infra(1) })).member);
    assert.ok((await client.getCluster({ token })).cluster);
    assert.equal((await client.listMembers({ token })).members.length, 1);
    assert.ok((await client.reopenToken({ token })).cluster);
    assert.equal((await client.deleteToken({ token })).deleted, false, 'the first call deleted it');
    assert.equal(calls.size, 6);
    // On a slow machine a response that arrives may be late too.
    for (const count of calls.values()) assert.ok(isSilent ? count >= 2 : count === 2, `${count} calls`);

    calls.clear();
    const unsafe: Array<() => Promise<unknown>> = [() => client.deregister({ token, memberId: '1' })];
    await Promise.all(
      unsafe.map((call) =>
        assert.rejects(call(), (error: { code: Code }) =>
          [Code.Aborted, Code.Unavailable, Code.DeadlineExceeded].includes(error.code),
        ),
      ),
    );
    assert.deepEqual([...calls.values()], [1]);
  });
}

test('a retried CreateToken returns the same token and secrets, whatever happened to the response', async (t) => {
  const { client, calls, close } = await spoiled((response) => response.destroy());
  t.after(close);
  const { cluster, created, secrets } = await client.createToken({ size: 1, guard: [Access.JOIN] });
  assert.ok(created);
  assert.equal(calls.get('CreateToken'), 2);
  const label = tokenLabel(cluster?.token ?? '');
  const stories = service.logged.filter((line) => /token was created/.test(line) && line.includes(label));
  assert.equal(stories.length, 1);
  const token = `${cluster?.token}:${secrets[0]?.secret}`;
  assert.ok((await service.client.register({ token, ...infra(1) })).member);
});

test('a replacement is retried, and found done', async (t) => {
  const { client, calls, close } = await spoiled((response) => response.destroy());
  t.after(close);
  const token = (await service.client.createToken({ size: 2 })).cluster?.token ?? '';
  const { member } = await service.client.register({ token, ...infra(1) });
  const expectedModRevision = member?.modRevision ?? 0n;
  const replaced = { token, ...infra(1), name: 'new', mode: RegisterMode.REPLACE, expectedModRevision };
  const answer = await client.register(replaced);
  assert.deepEqual([answer.outcome, answer.member?.name], [RegisterOutcome.UNCHANGED, 'new']);
  assert.equal(calls.get('Register'), 2);
});

test('reads use POST, because URLs end up in logs', async (t) => {
  const verbs = new Set<string | undefined>();
  const server = createServer((incoming, response) => {
    verbs.add(incoming.method);
    response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"code":"not_found"}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const client = createDiscoveryClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const token = 'a:secret';
  for (const call of [client.getCluster({ token }), client.listMembers({ token })]) {
    await assert.rejects(call, { code: Code.NotFound });
  }
  assert.deepEqual([...verbs], ['POST']);
});

test('a call that did not reach the service is retried, whichever it is', async () => {
  const [port = 0] = await freePorts(1);
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  const making = client.createToken({ size: 3 });
  const late = await startService({}, { listen: { host: '127.0.0.1', port } });
  try {
    assert.equal((await making).created, true);
  } finally {
    await late.stop();
  }
});

test('a call on a connection that the service closed is retried until the service is back', async (t) => {
  const [port = 0] = await freePorts(1);
  const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startOwn({ port, dataDir });
  const client = createDiscoveryClient(first.url, { retryForMs: 60_000 });
  await client.createToken({ token: 'idle', size: 1 });
  await first.stop();
  // In the same turn, before its socket learns of the close.
  const registering = client.register({ token: 'idle', ...infra(1) });
  await using second = await startOwn({ port, dataDir });
  assert.equal((await registering).member?.name, infra(1).name);
  assert.equal(second.url, first.url);
});

test("network errors by Node.js's codes are worth a retry, other causes are not", () => {
  const networkError = (code: string): ConnectError =>
    new ConnectError('x', Code.Internal, undefined, undefined, Object.assign(new Error('x'), { code }));
  for (const code of ['EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'])
    assert.equal(isTransient(networkError(code)), true, code);
  for (const code of ['EPROTO', 'HPE_INVALID_CONSTANT'])
    assert.equal(isTransient(networkError(code)), false, code);
});

test('a call ends at its deadline without a service, and when its caller aborts it', async () => {
  const client = createDiscoveryClient('http://127.0.0.1:1', { retryForMs: 500 });
  await assert.rejects(client.getCluster({ token: 'a' }), { code: Code.Unavailable });
  const patient = createDiscoveryClient('http://127.0.0.1:1', { retryForMs: 3_600_000 });
  await assert.rejects(patient.getCluster({ token: 'a' }, { timeoutMs: 100 }), {
    code: Code.DeadlineExceeded,
  });
  const silent = createTcpServer(() => {});
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const { port } = silent.address() as AddressInfo;
  const abort = new AbortController();
  const call = createDiscoveryClient(`http://127.0.0.1:${port}`).getCluster(
    { token: 'a' },
    { signal: abort.signal },
  );
  silent.once('connection', (socket) => {
    abort.abort();
    socket.destroy();
  });
  await assert.rejects(call, { code: Code.Canceled });
  silent.close();
});

test('a single attempt has no time limit', async () => {
  const client = createDiscoveryClient(service.url, {
    tryTimeoutMs: Number.POSITIVE_INFINITY,
    retryForMs: 0,
  });
  for (let i = 0; i < 5; i++) assert.ok((await client.createToken({ size: 3 })).created);
});

test('a call with an aborted signal is not sent', async (t) => {
  const { client, calls, close } = await spoiled((response) => response.destroy());
  t.after(close);
  await assert.rejects(client.createToken({ size: 3 }, { signal: AbortSignal.abort() }), {
    code: Code.Canceled,
  });
  // Sent after it on the same connection.
  await assert.rejects(client.getCluster({ token: 'a' }), { code: Code.NotFound });
  assert.deepEqual([...calls.keys()], ['GetCluster']);
});

test('a rejection is not retried', async (t) => {
  const { client, calls, close } = await spoiled((response) => {
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end('{"code":"not_found","message":"no"}');
  });
  t.after(close);
  await assert.rejects(client.getCluster({ token: 'a' }), { code: Code.NotFound });
  assert.equal(calls.get('GetCluster'), 1);
});

test('the client uses TLS with a given CA, sends headers, and rejects an invalid URL', async (t) => {
  const seen: Array<string | undefined> = [];
  const server = createTlsServer(IDENTITY, (incoming, response) => {
    seen.push(incoming.headers.authorization);
    response.writeHead(404, { 'Content-Type': 'application/json' });
    response.end('{"code":"not_found","message":"no"}');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const headers = { Authorization: 'Bearer of-news' };
  const trusting = createDiscoveryClient(url, { headers, tls: { ca: CA } });
  await assert.rejects(trusting.getCluster({ token: 'a' }), { code: Code.NotFound });
  assert.deepEqual(seen, ['Bearer of-news']);
  // An untrusted certificate will not be trusted a second later either.
  await assert.rejects(createDiscoveryClient(url).getCluster({ token: 'a' }), /certificate/);

  for (const wrong of ['localhost:8087', 'ftp://a', '', 'http://']) {
    assert.throws(() => createDiscoveryClient(wrong), /like http:\/\/localhost:8087/);
  }
});

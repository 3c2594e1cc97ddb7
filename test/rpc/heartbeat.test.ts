import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, createServiceImplSpec, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { openPort } from '../../src/port/port.ts';
import { filled, withHeartbeats } from '../../src/rpc/heartbeat.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { rpcHandler } from '../../src/server/rpc/handler.ts';
import { createLog } from '../../src/server/telemetry/log.ts';
import { startService } from '../support/service.ts';
import { infra } from './calls.ts';

const TRANSPORTS: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
};

for (const [protocol, transport] of Object.entries(TRANSPORTS)) {
  test(`a quiet watch over ${protocol} receives heartbeats, and changes between them`, async (t) => {
    const service = await startService();
    t.after(() => service.stop());
    const { token = '' } = (await service.client.createToken({ size: 3 })).cluster ?? {};
    const beating = withHeartbeats(discoveryService(service.discovery, assert.ifError), 1);
    const rpc = rpcHandler([createServiceImplSpec<typeof DiscoveryService>(DiscoveryService, beating)]);
    const port = await openPort({
      host: '127.0.0.1',
      port: 0,
      log: createLog('error', { write: () => {} }),
      handler: (request, response) => rpc.request(request, response, {}),
      calls: { takes: rpc.takes, answer: (call) => rpc.call(call, {}) },
    });
    t.after(() => port.drain(0));
    const abort = new AbortController();
    t.after(() => abort.abort());
    const client = createClient(DiscoveryService, transport(`http://127.0.0.1:${port.port}`));
    const received: string[] = [];
    for await (const { update } of client.watchMembers({ token }, { signal: abort.signal })) {
      received.push(update.case ?? '');
      if (received.length === 4) await client.register({ token, ...infra(1) });
      if (update.case === 'event') break;
    }
    assert.equal(received[0], 'snapshot');
    assert.equal(received.at(-1), 'event');
    assert.deepEqual(new Set(received.slice(1, -1)), new Set(['heartbeat']));
    assert.ok(received.length >= 5);
  });
}

test('heartbeats fill a waiting stream, and keep its order, its end and its failure', async () => {
  const failure = new Error('over');
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* source(): AsyncGenerator<string> {
    yield 'a';
    yield 'b';
    await gate;
    yield 'c';
    throw failure;
  }
  const received: string[] = [];
  await assert.rejects(async () => {
    for await (const each of filled(source(), 1, '-')) {
      received.push(each);
      if (received.length === 5) go();
    }
  }, failure);
  assert.match(received.join(''), /^ab---+c-*$/);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

async function assertLogged(id: string | null): Promise<void> {
  const isIt = (line: string): boolean => (JSON.parse(line) as { requestId?: unknown }).requestId === id;
  await waitFor(`a log line with the id ${id}`, () => service.logged.some(isIt));
}

const idOf = async (
  path: string,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<string> =>
  (await fetch(service.url + path, { ...init, headers })).headers.get('x-request-id') ?? '';

test("the caller's id is returned, and logged with its request", async () => {
  const id = 'Root=1-67891233-abcdef012345678912345678';
  assert.equal(await idOf('/nobody', { 'X-Request-Id': id }), id);
  await assertLogged(id);
});

test('every interface returns a unique id, which is logged', async () => {
  const json = { method: 'POST', body: '{"size": 3}' };
  const ids = [
    await idOf('/new?size=3'),
    await idOf('/health'),
    await idOf('/metrics'),
    await idOf('/', { Accept: 'text/html' }),
    await idOf('/discovery.v1.DiscoveryService/CreateToken', { 'Content-Type': 'application/json' }, json),
    await idOf('/discovery.v1.DiscoveryService/Nothing', { 'Content-Type': 'application/json' }, json),
  ];
  for (const id of ids) await assertLogged(id);
  assert.equal(new Set(ids).size, ids.length);
});

test('gRPC calls have ids too: successful, rejected and unknown ones', async () => {
  const baseUrl = service.url;
  const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl }));
  let header = new Headers();
  const headers = { 'x-request-id': 'by-grpc' };
  await client.createToken({ size: 1 }, { headers, onHeader: (got) => (header = got) });
  assert.equal(header.get('x-request-id'), 'by-grpc');
  const refusal = await client.getCluster({ token: 'nobody' }).catch((error: unknown) => error);
  assert.ok(refusal instanceof ConnectError && refusal.code === Code.NotFound);
  await assertLogged(refusal.metadata.get('x-request-id'));
  const unknown = { typeName: 'discovery.v1.Nobody', method: DiscoveryService.method.getCluster };
  const renamed = { ...unknown.method, parent: { ...DiscoveryService, typeName: unknown.typeName } };
  const nobody = await createGrpcTransport({ baseUrl })
    .unary(renamed, undefined, undefined, undefined, {})
    .catch((error: unknown) => error);
  assert.ok(nobody instanceof ConnectError && nobody.code === Code.Unimplemented);
  await assertLogged(nobody.metadata.get('x-request-id'));
});

test('an id that is too long or has invalid characters is replaced', async () => {
  for (const bad of ['', 'a'.repeat(129), 'with space', 'quote"', 'é'.normalize('NFC'), '<script>', 'a\tb']) {
    const id = await idOf('/nobody', { 'X-Request-Id': bad });
    assert.match(id, /^[0-9a-f]{10}-[0-9a-z]+$/, bad);
  }
});

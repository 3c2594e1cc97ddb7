import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-node';
import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService, RegisterMode } from '../../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient } from '../../../src/client/node.ts';
import { issueCredential } from '../../../src/server/clients/auth-file.ts';
import { infra, rejectionDetail } from '../../rpc/calls.ts';
import { type RunningService, startService } from '../../support/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'callers');
const ada = issueCredential('ada');
writeFileSync(file, `${ada.line}\n`);

type Headers = Readonly<Record<string, string>>;

const basic: Headers = {
  Authorization: `Basic ${Buffer.from(`ada:${ada.secret}`).toString('base64')}`,
};
const bearer: Headers = { Authorization: `Bearer ${ada.secret}` };

/** Headers that a browser sends with requests that another site causes. */
const FOREIGN: Readonly<Record<string, Headers>> = {
  'another site': { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
  'another site, by a link or an image': { 'Sec-Fetch-Site': 'cross-site' },
  'another host of the same site': { 'Sec-Fetch-Site': 'same-site' },
  'another site, in a browser that sends only the origin': { Origin: 'https://evil.example' },
  'a page that hides its origin': { Origin: 'null' },
};

suite('credentials that a browser keeps', () => {
  let service: RunningService;
  let own: Readonly<Record<string, Headers>>;
  before(async () => {
    service = await startService({}, { auth: { mode: 'all', file } });
    own = {
      'a page of the service': { 'Sec-Fetch-Site': 'same-origin', Origin: service.url },
      'a person who types the address': { 'Sec-Fetch-Site': 'none' },
      'a page of the service, in a browser that sends only the origin': { Origin: service.url },
      'a program': {},
    };
  });
  after(() => service.stop());

  const made = async (): Promise<string> =>
    (await createDiscoveryClient(service.url, { headers: bearer }).createToken({ size: 3 })).cluster?.token ??
    '';
  const status = async (path: string, headers: Headers, init: RequestInit = {}): Promise<number> => {
    const answer = await fetch(`${service.url}${path}`, { redirect: 'manual', ...init, headers });
    await answer.arrayBuffer();
    return answer.status;
  };
  const value = (url: string): URLSearchParams => new URLSearchParams({ value: `infra1=${url}` });

  /** Everything that creates or changes something, on every interface. */
  const changes: Readonly<Record<string, (headers: Headers, token: string) => Promise<number>>> = {
    'GET /new': (headers) => status('/new?size=3', headers),
    'POST /new': (headers) =>
      status('/new', headers, { method: 'POST', body: new URLSearchParams({ size: '3' }) }),
    'PUT of a size': (headers, token) =>
      status(`/v2/keys/_etcd/registry/${token}x/_config/size`, headers, {
        method: 'PUT',
        body: new URLSearchParams({ value: '3' }),
      }),
    'PUT of a member': (headers, token) =>
      status(`/${token}/1`, headers, { method: 'PUT', body: value('http://10.0.0.1:2380') }),
    'the form of the page': (headers) =>
      status('/_page/new', headers, { method: 'POST', body: new URLSearchParams({ size: '3' }) }),
    'an RPC in JSON': (headers) =>
      status(
        '/discovery.v1.DiscoveryService/CreateToken',
        { ...headers, 'Content-Type': 'application/json' },
        { method: 'POST', body: '{"size":3}' },
      ),
    'an RPC over gRPC-Web': async (headers, token) => {
      const transport = createGrpcWebTransport({
        baseUrl: service.url,
        httpVersion: '1.1',
        nodeOptions: { headers },
      });
      const call = createClient(DiscoveryService, transport).register({
        token,
        ...infra(1),
        mode: RegisterMode.CREATE_OR_REPLACE,
      });
      return call.then(
        () => 200,
        async (thrown) => {
          assert.equal(
            (await rejectionDetail(Promise.reject(thrown as Error))).reason,
            ErrorReason.FORBIDDEN,
          );
          return 403;
        },
      );
    },
    'DELETE of a token': (headers, token) =>
      status(`/${token}?recursive=true`, headers, { method: 'DELETE' }),
  };

  for (const [from, headers] of Object.entries(FOREIGN)) {
    test(`stored credentials change nothing for ${from}`, async () => {
      const token = await made();
      for (const [what, call] of Object.entries(changes)) {
        assert.equal(await call({ ...headers, ...basic }, token), 403, what);
      }
      const { cluster } = await createDiscoveryClient(service.url, { headers: bearer }).getCluster({ token });
      assert.equal(cluster?.memberCount, 0);
      assert.equal(await status(`/${token}`, { ...headers, ...basic }), 200, 'reading is allowed');
    });

    test(`count for ${from} when a program sends them itself`, async () => {
      assert.equal(await status('/new?size=3', { ...headers, ...bearer }), 200);
    });
  }

  test('count for pages of the service, typed addresses and programs', async () => {
    for (const [from, headers] of Object.entries(own)) {
      const token = await made();
      for (const [what, call] of Object.entries(changes)) {
        const answered = await call({ ...headers, ...basic }, token);
        assert.ok(answered < 400, `${what} by ${from}: ${answered}`);
      }
    }
  });
});

test('without --auth the service accepts requests without credentials from every site', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  for (const headers of Object.values(FOREIGN)) {
    assert.equal((await fetch(`${service.url}/new?size=1`, { headers })).status, 200);
  }
  // A proxy in front may ask for a password, which the browser then keeps.
  const kept = { ...basic, 'Sec-Fetch-Site': 'cross-site' };
  assert.equal((await fetch(`${service.url}/new?size=1`, { headers: kept })).status, 403);
});

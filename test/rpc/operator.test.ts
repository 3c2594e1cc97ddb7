import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { createClient, createContextValues, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { ClusterState } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { type ClusterSummary, OperatorService } from '../../gen/discovery/v1/operator_pb.ts';
import { createDiscoveryClient, discoveryTransport } from '../../src/client/node.ts';
import type { OperatorClient } from '../../src/client/operator-client.ts';
import { ANYONE } from '../../src/discovery/access.ts';
import { RESOLVE_CALLER } from '../../src/rpc/caller.ts';
import { inProcessOperator, operatorService } from '../../src/rpc/operator.ts';
import { issueCredential, NOBODY, parseAuthFile } from '../../src/server/clients/auth-file.ts';
import { Callers } from '../../src/server/clients/callers.ts';
import { type RunningService, startService } from '../support/service.ts';
import { infra, rejectionDetail } from './calls.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'callers');
const [ops, ada] = [issueCredential('ops', 'OPERATOR'), issueCredential('ada')];
writeFileSync(file, `${ops.line}\n${ada.line}\n`);

type Headers = Readonly<Record<string, string>>;
const bearer = ({ secret }: { secret: string }): Headers => ({ Authorization: `Bearer ${secret}` });
const basic = (name: string, { secret }: { secret: string }): Headers => ({
  Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
});

let service: RunningService;
before(async () => {
  service = await startService({ minTtl: 1 }, { auth: { mode: 'create', file } });
});
after(() => service.stop());

function overWire(make: (baseUrl: string) => Transport): () => OperatorClient {
  return () => createClient(OperatorService, make(service.url));
}

const nodeOptions = { headers: bearer(ops) };
const authorize: NonNullable<Parameters<typeof createGrpcTransport>[0]['interceptors']> = [
  (next) => (request) => {
    request.header.set('Authorization', bearer(ops)['Authorization'] ?? '');
    return next(request);
  },
];
const TRANSPORTS: Record<string, () => OperatorClient> = {
  'in process': () =>
    inProcessOperator(
      operatorService(service.discovery, {
        onDefect: assert.ifError,
        onRefused: () => {},
        labelOf: (token) => `${token.slice(0, 4)}...`,
      }),
      createContextValues().set(RESOLVE_CALLER, () => ({ ...ANYONE, isOperator: true })),
    ),
  'Connect JSON over HTTP/1.1': overWire((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false, nodeOptions }),
  ),
  'Connect over HTTP/1.1, reads by GET': overWire((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', useHttpGet: true, nodeOptions }),
  ),
  'gRPC over HTTP/2': overWire((baseUrl) => createGrpcTransport({ baseUrl, interceptors: authorize })),
  'gRPC-Web over HTTP/1.1': overWire((baseUrl) =>
    createGrpcWebTransport({ baseUrl, httpVersion: '1.1', interceptors: authorize }),
  ),
};

async function everything(operator: OperatorClient, pageSize: number): Promise<ClusterSummary[]> {
  const found: ClusterSummary[] = [];
  let pageToken = '';
  do {
    const page = await operator.listClusters({ pageSize, pageToken });
    assert.ok(page.clusters.length <= pageSize);
    found.push(...page.clusters);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

for (const [transport, connect] of Object.entries(TRANSPORTS)) {
  test(`operators list all clusters, over ${transport}`, async () => {
    const operator = connect();
    const maker = createDiscoveryClient(service.url, { headers: bearer(ada) });
    const made: string[] = [];
    for (const size of [3, 1, 2, 1]) {
      const { cluster } = await maker.createToken({ size, description: `of ${size}` });
      made.push(cluster?.token ?? '');
    }
    const [forming = '', complete = '', gone = '', expiring = ''] = made;
    await maker.register({ token: forming, ...infra(1) });
    await maker.register({ token: forming, ...infra(2), peerUrls: ['https://10.0.0.2:2380'] });
    await maker.register({ token: complete, ...infra(1) });
    await maker.deleteToken({ token: gone });
    await maker.reopenToken({ token: expiring, ttl: durationFromMs(1) });

    const all = await everything(operator, 200);
    assert.deepEqual(
      all.filter(({ token }) => made.includes(token)).map(({ token }) => token),
      // Tokens created at the same time are sorted by name.
      all
        .filter(({ token }) => made.includes(token))
        .toSorted((a, b) => timeOf(b) - timeOf(a) || (a.token < b.token ? -1 : 1))
        .map(({ token }) => token),
    );
    assert.deepEqual(await everything(operator, 1), all);
    const row = (token: string): ClusterSummary => {
      const [found, ...more] = all.filter((each) => each.token === token);
      assert.ok(found !== undefined && more.length === 0);
      return found;
    };
    const assembling = row(forming);
    assert.deepEqual(
      [assembling.state, assembling.size, assembling.memberCount, assembling.missingCount],
      [ClusterState.ASSEMBLING, 3, 2, 1],
    );
    assert.deepEqual(assembling.memberNames, ['infra1', 'infra2']);
    assert.equal(assembling.creator, 'ada');
    assert.equal(assembling.description, 'of 3');
    assert.equal(assembling.warnings.length, 1, 'one member uses https and one http');
    assert.ok(assembling.label !== '' && !assembling.label.includes(forming));
    const { members, cluster } = await maker.listMembers({ token: forming });
    assert.deepEqual(assembling.waitingSince, members.at(-1)?.registerTime);
    assert.deepEqual(assembling.createTime, cluster?.createTime);
    assert.deepEqual(assembling.expireTime, cluster?.expireTime);
    const whole = row(complete);
    assert.deepEqual([whole.state, whole.missingCount], [ClusterState.COMPLETE, 0]);
    assert.ok(whole.completeTime !== undefined && whole.waitingSince === undefined);
    assert.deepEqual([row(gone).state, row(gone).memberCount], [ClusterState.DELETED, 0]);
    assert.ok(row(gone).deleteTime !== undefined);
    assert.equal(row(expiring).state, ClusterState.EXPIRED);
    assert.equal(row(expiring).missingCount, 1);

    for (const state of [ClusterState.ASSEMBLING, ClusterState.COMPLETE, ClusterState.DELETED]) {
      const { clusters } = await operator.listClusters({ states: [state], pageSize: 200 });
      assert.deepEqual(
        clusters.map(({ token }) => token),
        all.filter((each) => each.state === state).map(({ token }) => token),
      );
    }
    const stuck = (ms: number) => operator.listClusters({ assemblingFor: durationFromMs(ms), pageSize: 200 });
    assert.ok((await stuck(0)).clusters.some(({ token }) => token === forming));
    assert.deepEqual((await stuck(3_600_000)).clusters, []);
  });
}

const timeOf = ({ createTime }: ClusterSummary): number => (createTime ? timestampMs(createTime) : 0);

suite('listing all clusters', () => {
  const call = (running: RunningService, headers: Headers, request = {}) =>
    createClient(OperatorService, discoveryTransport(running.url, { headers })).listClusters(request);

  test('rejects callers who are not operators, and says how to become one', async () => {
    for (const [headers, reason] of [
      [{}, ErrorReason.UNAUTHENTICATED],
      [bearer(issueCredential('eve')), ErrorReason.UNAUTHENTICATED],
      [basic('ada', ops), ErrorReason.UNAUTHENTICATED],
      [bearer(ada), ErrorReason.FORBIDDEN],
      [basic('ada', ada), ErrorReason.FORBIDDEN],
    ] as const) {
      const refused = await rejectionDetail(call(service, headers));
      assert.equal(refused.reason, reason, JSON.stringify(headers));
      await assert.rejects(call(service, headers), /credential NAME --operator/);
      assert.equal((await rejectionDetail(call(service, headers, { pageToken: 'x' }))).reason, reason);
    }
    await call(service, basic('ops', ops));
  });

  test('needs operators in the file, even without authentication', async () => {
    const open = await startService();
    const ofOperators = await startService({}, { auth: { mode: 'off', file } });
    try {
      for (const headers of [{}, bearer(ops)]) {
        assert.equal((await rejectionDetail(call(open, headers))).reason, ErrorReason.UNAUTHENTICATED);
      }
      const { cluster } = await ofOperators.client.createToken({ size: 1 });
      const { clusters } = await call(ofOperators, bearer(ops));
      assert.deepEqual(
        clusters.map(({ token, creator }) => [token, creator]),
        [[cluster?.token, '']],
      );
      assert.equal((await rejectionDetail(call(ofOperators, {}))).reason, ErrorReason.UNAUTHENTICATED);
    } finally {
      await open.stop();
      await ofOperators.stop();
    }
  });

  test('rejects a former operator who was removed from the file', () => {
    const known = parseAuthFile(ops.line);
    assert.ok(typeof known === 'object');
    const callers = new Callers('create', known, () => true);
    const request = { headers: { authorization: `Bearer ${ops.secret}` }, socket: {} };
    const isOperator = () => callers.resolverOf(request as never)(undefined).isOperator;
    assert.equal(isOperator(), true);
    const demoted = parseAuthFile(ops.line.replace(/:operator$/, ''));
    assert.ok(typeof demoted === 'object');
    callers.renew(demoted);
    assert.equal(isOperator(), false);
    callers.renew(NOBODY);
    assert.equal(isOperator(), false);
  });
});

test('rejects an invalid list request, and names the field', async () => {
  const operator = createClient(OperatorService, discoveryTransport(service.url, { headers: bearer(ops) }));
  const maker = createDiscoveryClient(service.url, { headers: bearer(ada) });
  for (let i = 0; i < 3; i++) await maker.createToken({ size: 2 });
  const { nextPageToken } = await operator.listClusters({ pageSize: 1 });
  assert.match(nextPageToken, /^\w/, 'does not look like a command-line flag');
  const tampered = Buffer.from(nextPageToken, 'base64url');
  tampered[8] = (tampered[8] ?? 0) ^ 1;
  for (const [request, field] of [
    [{ pageToken: 'x' }, 'page_token'],
    [{ pageToken: tampered.toString('base64url') }, 'page_token'],
    [{ pageToken: `${nextPageToken}A` }, 'page_token'],
    [{ pageToken: nextPageToken, states: [ClusterState.ASSEMBLING] }, 'page_token'],
    [{ states: [99 as ClusterState] }, 'states'],
    [{ states: [ClusterState.UNSPECIFIED] }, 'states'],
    [{ states: [ClusterState.COMPLETE], assemblingFor: durationFromMs(1) }, 'assembling_for'],
    [{ assemblingFor: durationFromMs(-1) }, 'assembling_for'],
  ] as const) {
    const refused = await rejectionDetail(operator.listClusters(request as object));
    assert.deepEqual([refused.reason, refused.field], [ErrorReason.INVALID_ARGUMENT, field]);
  }
});

test('no token gets into the log', async () => {
  const { cluster } = await createDiscoveryClient(service.url, { headers: bearer(ada) }).createToken({
    size: 1,
  });
  const { clusters, nextPageToken } = await createClient(
    OperatorService,
    createConnectTransport({ baseUrl: service.url, httpVersion: '1.1', useHttpGet: true, nodeOptions }),
  ).listClusters({ pageSize: 1 });
  assert.equal(clusters.length, 1);
  const logged = service.logged.join('');
  assert.ok(logged.includes('ListClusters'));
  assert.ok(!logged.includes(cluster?.token ?? '') && !logged.includes(nextPageToken || 'none'));
});

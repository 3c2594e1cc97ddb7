import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Access } from '../../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Auth, KV } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../../../src/client/node.ts';
import { issueCredential, parseAuthFile } from '../../../src/server/clients/auth-file.ts';
import { infra, rejectionDetail } from '../../rpc/calls.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const AUTH_FILE = join(directory, 'callers');
const ada = issueCredential('ada');
writeFileSync(AUTH_FILE, `# who may\n\n${ada.line}\n`);

const bearer = { Authorization: `Bearer ${ada.secret}` };
const basic = { Authorization: `Basic ${Buffer.from(`ada:${ada.secret}`).toString('base64')}` };
const STRANGERS: Record<string, Record<string, string>> = {
  'without credentials': {},
  'with another secret': { Authorization: `Bearer ${issueCredential('eve').secret}` },
  'with the secret under another name': {
    Authorization: `Basic ${Buffer.from(`eve:${ada.secret}`).toString('base64')}`,
  },
  'with the hash instead of the secret': { Authorization: `Bearer ${ada.line.split(':')[2]}` },
  'with an invalid scheme': { Authorization: 'Negotiate x' },
};

for (const mode of ['create', 'all'] as const) {
  suite(`--auth ${mode}`, () => {
    let service: RunningService;
    let stranger: DiscoveryClient;
    let token: string;
    before(async () => {
      service = await startService({}, { auth: { mode, file: AUTH_FILE } });
      stranger = createDiscoveryClient(service.url);
      const { cluster } = await createDiscoveryClient(service.url, { headers: bearer }).createToken({
        size: 3,
      });
      token = cluster?.token ?? '';
    });
    after(() => service.stop());

    for (const [who, headers] of Object.entries(STRANGERS)) {
      test(`a caller ${who} cannot create a token in any way`, async () => {
        const refused = await rejectionDetail(
          createDiscoveryClient(service.url, { headers }).createToken({ size: 1 }),
        );
        assert.equal(refused.reason, ErrorReason.UNAUTHENTICATED);
        const overNew = await fetch(`${service.url}/new?size=1`, { headers });
        assert.equal(overNew.status, 401);
        assert.match(overNew.headers.get('www-authenticate') ?? '', /^Basic /);
        assert.match(await overNew.text(), /credentials/);
        const chosen = await fetch(`${service.url}/v2/keys/_etcd/registry/mine/_config/size`, {
          method: 'PUT',
          headers,
          body: new URLSearchParams({ value: '1' }),
        });
        assert.equal(chosen.status, 401);
      });
    }

    test('known callers create tokens with a bearer token, with a password, and with the secret after the token', async () => {
      for (const headers of [bearer, basic]) {
        assert.equal((await fetch(`${service.url}/new?size=1`, { headers })).status, 200);
      }
      const made = await stranger.createToken({ token: `mine-${mode}:${ada.secret}`, size: 1 });
      assert.equal(made.cluster?.token, `mine-${mode}`);
    });

    test(`strangers ${mode === 'all' ? 'cannot' : 'can'} use tokens`, async () => {
      const member = { token, ...infra(1) };
      const calls = {
        getCluster: () => stranger.getCluster({ token }),
        listMembers: () => stranger.listMembers({ token }),
        register: () => stranger.register(member),
        deregister: () => stranger.deregister({ token, memberId: '1' }),
        reopenToken: () => stranger.reopenToken({ token }),
        unknown: () => stranger.getCluster({ token: 'never-made' }),
        deleteToken: () => stranger.deleteToken({ token: `mine-${mode}` }),
      };
      const info = await stranger.getServiceInfo({});
      assert.deepEqual([info.createNeedsCredential, info.useNeedsCredential], [true, mode === 'all']);
      for (const [name, call] of Object.entries(calls)) {
        if (mode === 'all') {
          assert.equal((await rejectionDetail(call())).reason, ErrorReason.UNAUTHENTICATED, name);
        } else if (name === 'unknown') {
          assert.equal((await rejectionDetail(call())).reason, ErrorReason.TOKEN_NOT_FOUND);
        } else await call();
      }
      const status = (await fetch(`${service.url}/${token}`)).status;
      assert.equal(status, mode === 'all' ? 401 : 200);
      for (const path of ['/health', '/livez', '/robots.txt', '/openapi.json']) {
        assert.equal((await fetch(`${service.url}${path}`)).status, 200, path);
      }
    });

    test("strangers with a token's secret can use the token", async () => {
      const known = createDiscoveryClient(service.url, { headers: basic });
      const { cluster, secrets } = await known.createToken({ size: 1, guard: [Access.JOIN] });
      const as = `${cluster?.token}:${secrets[0]?.secret}`;
      await stranger.register({ token: as, ...infra(1) });
      const answer = await fetch(`${service.url}/${as}/_config/size`);
      assert.equal(answer.status, 200);
      assert.equal(((await answer.json()) as { node: { value: string } }).node.value, '1');
    });

    test('a client of etcd’s v3 API logs in with name and password', async () => {
      const transport = createGrpcTransport({ baseUrl: service.url });
      const auth = createClient(Auth, transport);
      assert.equal((await auth.authStatus({}, { headers: basic })).enabled, true);
      await assert.rejects(auth.authenticate({ name: 'ada', password: 'wrong' }), /authentication failed/);
      const { token: session } = await auth.authenticate({ name: 'ada', password: ada.secret });
      const key = Buffer.from(`/_etcd/registry/by-etcd-${mode}/_config/size`);
      const kv = createClient(KV, transport);
      const request = { key, value: Buffer.from('3') };
      await assert.rejects(kv.put(request), /credentials/);
      await kv.put(request, { headers: { token: session } });
      assert.equal((await kv.range({ key }, { headers: { token: session } })).kvs.length, 1);
      if (mode === 'all') await assert.rejects(kv.range({ key }), /credentials/);
      const behind = Buffer.from(`/_etcd/registry/by-etcd-${mode}:${ada.secret}/_config/size`);
      const { kvs } = await kv.range({ key: behind });
      assert.deepEqual(Buffer.from(kvs[0]?.key ?? []), behind);
    });
  });
}

test('the file of known callers is read again when it changes, and an invalid one is ignored', async () => {
  const file = join(directory, 'renewed');
  const [first, second] = [issueCredential('first'), issueCredential('second')];
  writeFileSync(file, `${first.line}\n`);
  const service = await startService({}, { auth: { mode: 'create', file } });
  const makes = async (secret: string): Promise<boolean> =>
    (await fetch(`${service.url}/new?size=1`, { headers: { Authorization: `Bearer ${secret}` } })).ok;
  try {
    assert.deepEqual([await makes(first.secret), await makes(second.secret)], [true, false]);
    writeFileSync(file, `${second.line}\n`);
    await waitFor('the new caller to be known', () => makes(second.secret));
    assert.equal(await makes(first.secret), false, 'the old one is not');
    writeFileSync(file, 'nonsense\n');
    await waitFor('the log to report it', () =>
      service.logged.some((line) => line.includes('line 1 is not NAME')),
    );
    assert.equal(await makes(second.secret), true);
  } finally {
    await service.stop();
  }
  assert.ok(!service.logged.some((line) => line.includes(second.secret)), 'no secret is logged');
});

test('a file of known callers has a line for each, and errors name the line', () => {
  const callers = parseAuthFile(`\n# x\n ${ada.line} \r\n`);
  assert.ok(typeof callers === 'object');
  assert.deepEqual([...callers.values()], [{ name: 'ada', isOperator: false }]);
  for (const wrong of [
    'ada',
    'ada:secret',
    `a b:${ada.line.slice(4)}`,
    `${ada.line}0`,
    `${ada.line}:`,
    `${ada.line}:admin`,
    `${ada.line}:operator:`,
    `:${ada.line.slice(4)}`,
  ]) {
    const problem = parseAuthFile(`# x\n${wrong}\n`);
    assert.ok(typeof problem === 'string' && problem.startsWith('line 2 is not NAME:sha256:HASH'), wrong);
  }
});

test('secrets are not logged, however they are sent', async () => {
  const service = await startService();
  try {
    const { cluster, secrets } = await service.client.createToken({ size: 1, guard: [Access.READ] });
    const [secret] = secrets;
    assert.ok(cluster !== undefined && secret !== undefined);
    const as = `${cluster.token}:${secret.secret}`;
    for (const path of [
      `/${as}`,
      `/${as}/_config/size`,
      `/v2/keys/_etcd/registry/${as}`,
      `/${cluster.token}%3A${secret.secret}`,
    ]) {
      await fetch(`${service.url}${path}`);
    }
    await fetch(`${service.url}/${cluster.token}`, { headers: { Authorization: `Bearer ${secret.secret}` } });
    const grpc = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
    await grpc.getCluster({ token: as });
    await waitFor(
      'the requests to be logged',
      () => service.logged.filter((line) => line.includes('"request"')).length >= 6,
    );
    assert.ok(!service.logged.some((line) => line.includes(secret.secret) || line.includes(cluster.token)));
  } finally {
    await service.stop();
  }
});

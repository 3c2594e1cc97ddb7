import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as requestHttp1 } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { type Client, createClient, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { Access } from '../../../gen/discovery/v1/cluster_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Auth, KV, Watch } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { issueCredential } from '../../../src/server/clients/auth-file.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { ended } from '../../support/tracing-sdk.ts';
import { waitFor } from '../../support/wait.ts';

/** Words that occur only in the requests below: tokens of every kind, and secrets. */
const words: Record<string, string> = {
  ...Object.fromEntries(
    ['unknown', 'open', 'guarded', 'deleted', 'expired', 'chosen', 'full'].map((name) => [
      name,
      randomBytes(16).toString('hex'),
    ]),
  ),
  // Even what only looks like a token may be someone's.
  malformed: `_${randomBytes(12).toString('hex')}!`,
  long: randomBytes(70).toString('hex'),
  'in upper case': randomBytes(16).toString('hex').toUpperCase(),
  'wrong secret': randomBytes(24).toString('base64url'),
};

const transports = (baseUrl: string): Record<string, Transport> => ({
  'Connect, HTTP/1.1': createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  'Connect, HTTP/2': createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: true }),
  'Connect by GET': createConnectTransport({ baseUrl, httpVersion: '1.1', useHttpGet: true }),
  gRPC: createGrpcTransport({ baseUrl }),
  'gRPC-Web': createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
});

/** Returns a response, or an error, as text. */
const settled = (call: Promise<unknown>): Promise<string> =>
  call.then(
    (answer) =>
      JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    (error: unknown) => String(error),
  );

/** Sends a request with an unchanged target, which fetch would normalize. */
function ask(port: number, method: string, path: string, headers = {}, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = requestHttp1({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = JSON.stringify(response.headers);
      response.on('data', (data: Buffer) => (text += data.toString()));
      response.once('end', () => resolve(text));
    });
    request.once('error', reject);
    request.end(body);
  });
}

async function everyCall(transport: Transport, token: string): Promise<void> {
  const client: Client<typeof DiscoveryService> = createClient(DiscoveryService, transport);
  const member = { token, memberId: '1', name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] };
  const enough = AbortSignal.timeout(30);
  await Promise.all(
    [
      client.getCluster({ token }),
      client.listMembers({ token }),
      client.createToken({ token, size: 2 }),
      client.register(member),
      client.register({ ...member, memberId: '2', peerUrls: ['not a URL'] }),
      client.deregister({ token, memberId: 'nobody' }),
      client.reopenToken({ token, ttl: { seconds: -1n } }),
      client.watchMembers({ token }, { signal: enough })[Symbol.asyncIterator]().next(),
    ].map(settled),
  );
}

async function everyEtcdCall(baseUrl: string, token: string): Promise<void> {
  const transport = createGrpcTransport({ baseUrl });
  const kv = createClient(KV, transport);
  const key = (rest: string): Uint8Array => Buffer.from(`/_etcd/registry/${token}${rest}`);
  const create = { requestUnion: { case: 'createRequest' as const, value: { key: key('/members') } } };
  const watch = createClient(Watch, transport).watch(
    (async function* () {
      yield create;
    })(),
    { signal: AbortSignal.timeout(30) },
  );
  await Promise.all(
    [
      kv.range({ key: key('/_config/size') }),
      kv.range({ key: key(''), rangeEnd: Buffer.from('z') }),
      kv.range({ key: Buffer.from(`/elsewhere/${token}`) }),
      kv.put({ key: key('/members/9'), value: Buffer.from('no equals sign') }),
      kv.put({ key: key('/what/is/this'), value: Buffer.from('x') }),
      kv.deleteRange({ key: key('/members/9') }),
      kv.txn({ success: [{ request: { case: 'requestRange', value: { key: key('/x') } } }] }),
      createClient(Auth, transport).authenticate({ name: token, password: token }),
      watch[Symbol.asyncIterator]().next(),
    ].map(settled),
  );
}

async function everyPath(port: number, token: string): Promise<void> {
  const encoded = encodeURIComponent(token);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const targets = [
    ['GET', `/${encoded}`],
    ['HEAD', `/${encoded}`],
    ['GET', `/${encoded}/_config/size`],
    ['GET', `/_start/${encoded}?etcd=3.7&name=infra1&ip=10.0.0.1`],
    ['GET', `/_start/${encoded}`],
    ['GET', `/${encoded}/1`],
    ['GET', `/${encoded}/../${encoded}`],
    ['GET', `//${encoded}`],
    ['GET', `/${encoded}?wait=perhaps`],
    ['GET', `/new?size=${encoded}`],
    ['GET', `/v2/keys/_etcd/registry/${encoded}?recursive=true`],
    ['GET', `/v2/keys/somewhere/${encoded}`],
    ['DELETE', `/${encoded}/nobody`],
    ['PATCH', `/${encoded}`],
    ['POST', `/discovery.v1.DiscoveryService/${encoded}`],
    ['POST', `/etcdserverpb.KV/Range/${encoded}`],
    ['GET', `/discovery.v1.DiscoveryService/GetCluster?encoding=json&message={"token":"${encoded}"}`],
    ['GET', `/health?${encoded}`],
    ['GET', `/metrics?${encoded}`],
    ['GET', `/_page/${encoded}`],
  ] as const;
  for (const [method, path] of targets) await ask(port, method, path.replaceAll('"', '%22'));
  await ask(port, 'GET', `/${encoded}`, { accept: 'text/html', referer: `http://a/${encoded}` });
  await ask(port, 'GET', `/${encoded}`, { authorization: `Bearer ${encoded}` });
  await ask(port, 'PUT', `/${encoded}/1`, form, 'value=nonsense');
  await ask(port, 'POST', '/_page/new', form, `size=3&description=${encoded}`);
  await ask(
    port,
    'POST',
    '/discovery.v1.DiscoveryService/GetCluster',
    { 'content-type': 'application/json' },
    `{"token": "${token}`,
  );
  await ask(
    port,
    'POST',
    '/discovery.v1.DiscoveryService/GetCluster',
    { 'content-type': 'application/json' },
    `{"${token}": 1}`,
  );
  // Requests that never reach a handler.
  for (const bytes of [
    `GET /${encoded} HTTP/1.1\r\nHost: a b\r\n\r\n`,
    `GET /${encoded} HTTP/9.9\r\nHost: a\r\n\r\n`,
    `${encoded}\r\n\r\n`,
    `GET http://elsewhere/${encoded} HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  ]) {
    await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket
        .on('error', () => {})
        .on('close', resolve)
        .resume();
      socket.once('data', () => socket.end());
    });
  }
}

suite('no whole token or secret is disclosed, whatever a client sends', () => {
  let service: RunningService;
  let bystander: string;
  const { secret, line } = issueCredential('operator');
  before(async () => {
    service = await startService({ minTtl: 1 });
    const { client, url, port } = service;
    words['caller’s secret'] = secret;
    assert.ok(line.includes('sha256'));
    const make = (token = '', more = {}): ReturnType<typeof client.createToken> =>
      client.createToken({ token, size: 1, ...more });
    words['issued'] = (await make()).cluster?.token ?? '';
    const { secrets } = await make(words['guarded'], { guard: [Access.READ, Access.ADMINISTER] });
    for (const [i, each] of secrets.entries()) words[`secret ${i}`] = each.secret;
    await make(words['open']);
    await make(words['deleted']);
    await client.deleteToken({ token: words['deleted'] ?? '' });
    await make(words['expired'], { ttl: { nanos: 1_000_000 } });
    await make(words['full']);
    bystander = (await make()).cluster?.token ?? '';
    const guarded = Object.entries(words)
      .filter(([name]) => name.includes('secret'))
      .map(([, each]) => `${words['guarded']}:${each}`);
    for (const token of [...Object.values(words), ...guarded]) {
      for (const transport of Object.values(transports(url))) await everyCall(transport, token);
      await everyEtcdCall(url, token);
      await everyPath(port, token);
    }
    const session = connectHttp2(url);
    await new Promise((resolve) => {
      session
        .request({ ':path': `/${words['open']}` })
        .resume()
        .once('close', resolve)
        .end();
    });
    session.close();
    await waitFor('the last request to be logged and traced', () =>
      service.logged.some((each) => each.includes('"http":"2.0"') && each.includes('"surface":"v2"')),
    );
  });
  after(() => service.stop());

  const assertSecret = (text: string, where: string): void => {
    for (const [name, word] of Object.entries(words)) {
      for (const form of [word, encodeURIComponent(word), Buffer.from(word).toString('base64')]) {
        const at = text.indexOf(form);
        assert.ok(at < 0, `${where} has the ${name} one: ${text.slice(Math.max(0, at - 300), at + 200)}`);
      }
    }
  };

  test('in the log, at its lowest level', () => {
    assert.ok(service.logged.length > 500, `${service.logged.length} lines`);
    assertSecret(service.logged.join(''), 'the log');
  });

  test('in the metrics', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    assert.match(text, /discovery_refusals_total\{reason="TOKEN_NOT_FOUND"\} [1-9]/);
    assertSecret(text, '/metrics');
  });

  test('in the spans', () => {
    const seen = ended.map(({ name, attributes, events, links, status, resource }) =>
      JSON.stringify({ name, attributes, events, links, status, resource: resource.attributes }),
    );
    assert.ok(seen.length > 500, `${seen.length} spans`);
    assertSecret(seen.join('\n'), 'a span');
  });

  test('in responses to another caller', async () => {
    const { client, url, port } = service;
    const member = { memberId: '1', name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] };
    const etcd = createClient(KV, createGrpcTransport({ baseUrl: url }));
    const all = Buffer.from('/_etcd/registry/');
    const answers = await Promise.all([
      ...[
        client.register({ token: bystander, ...member }),
        client.register({ token: bystander, ...member, memberId: '2' }),
        client.getCluster({ token: 'nobody' }),
        client.createToken({ size: 0 }),
        etcd.range({ key: all, rangeEnd: Buffer.from('/_etcd/registry0') }),
        etcd.range({ key: Buffer.from([0]), rangeEnd: Buffer.from([0]) }),
        etcd.deleteRange({ key: all, rangeEnd: Buffer.from('/_etcd/registry0') }),
      ].map(settled),
      ...[
        '/',
        '/new?size=x',
        '/v2/keys',
        '/v2/keys/',
        '/v2/keys/_etcd/registry',
        '/v2/keys/_etcd/registry/?recursive=true',
        '/health',
        '/livez',
        '/version',
        `/${bystander}`,
        '/nobody',
      ].map((path) => ask(port, 'GET', path)),
      ask(port, 'GET', `/${bystander}`, { accept: 'text/html' }),
    ]);
    for (const answer of answers) assertSecret(answer, 'a response');
  });

  test('in a Referer: every page of a token forbids it, including error pages', async () => {
    for (const token of Object.values(words)) {
      const response = await fetch(`${service.url}/${encodeURIComponent(token)}`, {
        headers: { accept: 'text/html' },
      });
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
      assert.equal(response.headers.get('referrer-policy'), 'no-referrer', String(response.status));
    }
  });
});

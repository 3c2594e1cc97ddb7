import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Access } from '../../../gen/discovery/v1/cluster_pb.ts';
import { DiscoveryService, RegisterMode } from '../../../gen/discovery/v1/service_pb.ts';
import { KV, Watch } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { run } from '../../support/child.ts';
import { type RunningService, startService } from '../../support/service.ts';

const ACCESSES = ['READ', 'JOIN', 'ADMINISTER'] as const;
type Needs = (typeof ACCESSES)[number];

/** LET_IN, or why it was rejected: without a secret, or with one for something else. */
type Outcome = 'LET_IN' | 'NO_SECRET' | 'NOT_FOR_THIS';

const byStatus = (status: number): Outcome =>
  status === 401 ? 'NO_SECRET' : status === 403 ? 'NOT_FOR_THIS' : 'LET_IN';

async function byCode(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
  } catch (thrown) {
    const { code } = ConnectError.from(thrown);
    if (code === Code.Unauthenticated) return 'NO_SECRET';
    if (code === Code.PermissionDenied) return 'NOT_FOR_THIS';
    throw thrown;
  }
  return 'LET_IN';
}

suite('the secrets of a token apply on every interface', () => {
  let service: RunningService;
  before(async () => {
    service = await startService();
  });
  after(() => service.stop());

  const member = { memberId: '1', name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] };
  const form = { value: 'infra1=http://10.0.0.1:2380' };
  const other = { ...member, peerUrls: ['http://10.0.0.9:2380'] };
  const otherForm = { value: 'infra1=http://10.0.0.9:2380' };
  const v2 = async (path: string, init: RequestInit = {}): Promise<Outcome> =>
    byStatus((await fetch(`${service.url}${path}`, init)).status);
  const putV2 = (token: string, query: string, body: Record<string, string>): Promise<Outcome> =>
    v2(`/${token}/1${query}`, { method: 'PUT', body: new URLSearchParams(body) });
  const key = (token: string, rest: string): Uint8Array => Buffer.from(`/_etcd/registry/${token}/${rest}`);
  const grpc = <T>(
    call: (transport: ReturnType<typeof createGrpcTransport>) => Promise<T>,
  ): Promise<Outcome> => byCode(call(createGrpcTransport({ baseUrl: service.url })));
  const kv = <T>(
    call: (client: ReturnType<typeof createClient<typeof KV>>) => Promise<T>,
  ): Promise<Outcome> => grpc((transport) => call(createClient(KV, transport)));
  const rpc = <T>(
    call: (client: ReturnType<typeof createClient<typeof DiscoveryService>>) => Promise<T>,
  ): Promise<Outcome> => grpc((transport) => call(createClient(DiscoveryService, transport)));
  const command = async (...args: string[]): Promise<Outcome> => {
    const { stderr, code } = await run(args, { DISC_SERVER: service.url });
    if (stderr.includes('this token requires a secret')) return 'NO_SECRET';
    if (stderr.includes('this secret does not allow')) return 'NOT_FOR_THIS';
    assert.equal(code, 0, stderr);
    return 'LET_IN';
  };
  const registerArgs = (token: string, url: string): string[] => [
    'register',
    token,
    '--name',
    'infra1',
    '--id',
    '1',
    '--peer-url',
    url,
  ];

  const CALLS: ReadonlyArray<[what: string, needs: Needs, call: (token: string) => Promise<Outcome>]> = [
    ['v2: the size', 'READ', (token) => v2(`/${token}/_config/size`)],
    ['v2: the list', 'READ', (token) => v2(`/${token}`)],
    ['v2: a wait', 'READ', waitV2],
    ['v2: the path of an etcd', 'READ', (token) => v2(`/v2/keys/_etcd/registry/${token}`)],
    [
      'v2: a registration',
      'JOIN',
      (token) => v2(`/${token}/1?prevExist=false`, { method: 'PUT', body: new URLSearchParams(form) }),
    ],
    ['v2: a repeated registration', 'JOIN', (token) => putV2(token, '', form)],
    ['v2: a replacement', 'ADMINISTER', (token) => putV2(token, '', otherForm)],
    [
      'v2: a replacement of an existing member',
      'ADMINISTER',
      (token) => putV2(token, '?prevExist=true', otherForm),
    ],
    [
      'v2: a replacement of a value',
      'ADMINISTER',
      (token) => putV2(token, `?prevValue=${encodeURIComponent(form.value)}`, otherForm),
    ],
    ['v2: a removal', 'ADMINISTER', (token) => v2(`/${token}/1`, { method: 'DELETE' })],
    ['v3: the size', 'READ', (token) => kv((client) => client.range({ key: key(token, '_config/size') }))],
    [
      'v3: a reading transaction',
      'READ',
      (token) =>
        kv((client) =>
          client.txn({
            success: [{ request: { case: 'requestRange', value: { key: key(token, 'members/1') } } }],
          }),
        ),
    ],
    ['v3: a watch', 'READ', watchV3],
    [
      'v3: a registration',
      'JOIN',
      (token) => kv((client) => client.put({ key: key(token, 'members/1'), value: Buffer.from(form.value) })),
    ],
    [
      'v3: a replacement',
      'ADMINISTER',
      (token) =>
        kv((client) => client.put({ key: key(token, 'members/1'), value: Buffer.from(otherForm.value) })),
    ],
    [
      'v3: a removal',
      'ADMINISTER',
      (token) => kv((client) => client.deleteRange({ key: key(token, 'members/1') })),
    ],
    ['RPC: GetCluster', 'READ', (token) => rpc((client) => client.getCluster({ token }))],
    ['RPC: ListMembers', 'READ', (token) => rpc((client) => client.listMembers({ token }))],
    [
      'RPC: WatchMembers',
      'READ',
      (token) => rpc((client) => client.watchMembers({ token })[Symbol.asyncIterator]().next()),
    ],
    ['RPC: Register', 'JOIN', (token) => rpc((client) => client.register({ token, ...member }))],
    [
      'RPC: Register, repeated',
      'JOIN',
      (token) => rpc((client) => client.register({ token, ...member, mode: RegisterMode.REPLACE })),
    ],
    [
      'RPC: Register, a replacement',
      'ADMINISTER',
      (token) => rpc((client) => client.register({ token, ...other, mode: RegisterMode.REPLACE })),
    ],
    [
      'RPC: Register, a replacement or a new member',
      'ADMINISTER',
      (token) => rpc((client) => client.register({ token, ...other, mode: RegisterMode.CREATE_OR_REPLACE })),
    ],
    [
      'RPC: Deregister',
      'ADMINISTER',
      (token) => rpc((client) => client.deregister({ token, memberId: '1' })),
    ],
    ['RPC: ReopenToken', 'ADMINISTER', (token) => rpc((client) => client.reopenToken({ token }))],
    ['the page', 'READ', (token) => v2(`/${token}`, { headers: { accept: 'text/html' } })],
    ['the command show', 'READ', (token) => command('show', token)],
    ['the command register', 'JOIN', (token) => command(...registerArgs(token, 'http://10.0.0.1:2380'))],
    [
      'the command register --replace',
      'ADMINISTER',
      (token) => command(...registerArgs(token, 'http://10.0.0.9:2380'), '--replace'),
    ],
    ['the command deregister', 'ADMINISTER', (token) => command('deregister', token, '1')],
  ];

  /** Starts a wait and returns the outcome that its status shows. */
  async function waitV2(token: string): Promise<Outcome> {
    const leave = new AbortController();
    const outcome = await v2(`/${token}/9?wait=true`, { signal: leave.signal });
    leave.abort();
    return outcome;
  }

  async function watchV3(token: string): Promise<Outcome> {
    const stop = new AbortController();
    const client = createClient(Watch, createGrpcTransport({ baseUrl: service.url }));
    const answers = client.watch(
      (async function* () {
        yield { requestUnion: { case: 'createRequest' as const, value: { key: key(token, 'members') } } };
        await new Promise((resolve) => {
          stop.signal.addEventListener('abort', resolve);
        });
      })(),
      { signal: stop.signal },
    );
    const first = await answers[Symbol.asyncIterator]().next();
    stop.abort();
    assert.ok(first.done !== true);
    const { canceled, cancelReason } = first.value;
    if (!canceled) return 'LET_IN';
    assert.match(cancelReason, /secret/);
    return cancelReason.includes('does not allow') ? 'NOT_FOR_THIS' : 'NO_SECRET';
  }

  test('no v2 response contains a secret, of this caller or an earlier one', async () => {
    const { cluster, secrets } = await service.client.createToken({
      size: 3,
      guard: [Access.READ, Access.JOIN],
    });
    const [read, join] = secrets.map(({ secret }) => `${service.url}/${cluster?.token}:${secret}`);
    const bodies: string[] = [];
    const ask = async (url: string, init: RequestInit = {}): Promise<void> => {
      bodies.push(await (await fetch(url, init)).text());
    };
    await ask(`${join}/1?prevExist=false`, { method: 'PUT', body: new URLSearchParams(form) });
    for (const url of [join, read]) {
      for (const path of [
        '',
        '/1',
        '/_config',
        '/_config/size',
        '?recursive=true&wait=true&waitIndex=1',
        '/9',
      ]) {
        await ask(`${url}${path}`);
      }
      await ask(`${url}?recursive=true`, { method: 'DELETE' });
      await ask(url as string, { method: 'PUT', body: new URLSearchParams(form) });
    }
    for (const text of bodies) {
      assert.ok(text.includes('"'), 'every response is JSON');
      for (const { secret } of secrets) assert.ok(!text.includes(secret), text);
    }
  });

  for (const [what, needs, call] of CALLS) {
    test(`${what} accepts the secret to ${needs.toLowerCase()} or a higher one, and no other`, async () => {
      const isCommand = !/^(v2|v3|RPC|the page)/.test(what);
      const guard = ACCESSES.map((access) => Access[access]);
      const { cluster, secrets } = await service.client.createToken({ size: 3, guard });
      const token = cluster?.token ?? '';
      // A removal needs a member, and a registration can be repeated.
      await service.client.register({ token: `${token}:${secrets[2]?.secret}`, ...member });
      const outcome = async (as: string): Promise<Outcome> => call(as);
      assert.equal(await outcome(token), 'NO_SECRET');
      const enough = ACCESSES.indexOf(needs);
      for (const [i, { secret }] of secrets.entries()) {
        // Each command takes a process, so only the secrets around the limit are tried.
        if (isCommand && i !== enough && i !== enough - 1) continue;
        const expected = i >= enough ? 'LET_IN' : 'NOT_FOR_THIS';
        assert.equal(await outcome(`${token}:${secret}`), expected, `with that to ${ACCESSES[i]}`);
      }
      if (!isCommand) assert.equal(await outcome(`${token}:wrong`), 'NOT_FOR_THIS');
    });
  }

  test('if only ADMINISTER is guarded, a caller without its secret cannot replace a member', async () => {
    const { cluster, secrets } = await service.client.createToken({ size: 3, guard: [Access.ADMINISTER] });
    const token = cluster?.token ?? '';
    await service.client.register({ token, ...member });
    const calls = CALLS.filter(([what]) => what.includes('replacement') || what === 'v2: a registration');
    const outcomes = new Map<string, Outcome>();
    for (const [what, , call] of calls) outcomes.set(what, await call(token));
    const { members } = await service.client.listMembers({ token });
    assert.deepEqual(members[0]?.peerUrls, member.peerUrls);
    assert.equal(outcomes.get('v2: a registration'), 'LET_IN');
    outcomes.delete('v2: a registration');
    assert.deepEqual([...new Set(outcomes.values())], ['NO_SECRET']);
    const replace = { ...other, mode: RegisterMode.REPLACE };
    await service.client.register({ token: `${token}:${secrets[0]?.secret}`, ...replace });
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { parseCidrs } from '../../src/values/ip.ts';
import { slow } from '../slow.ts';
import { run } from '../support/child.ts';
import { defaultConfig, type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

const NODE = 'etcd=3.7&name=infra1&ip=10.0.0.1';

interface JsonAnswer {
  readonly action: string;
  readonly steps: readonly string[];
  readonly start: { readonly flags: Readonly<Record<string, string>> };
  readonly cluster: { readonly state: string; readonly size: number; readonly members: readonly object[] };
  readonly initialCluster: string;
}

suite('the start endpoint', () => {
  let service: RunningService;
  before(async () => {
    service = await startService({ minTtl: 1 });
  });
  after(() => service.stop());

  const newToken = async (size = 3, ttl?: { nanos: number }): Promise<string> => {
    const { cluster } = await service.client.createToken({ size, ...(ttl && { ttl }) });
    return cluster?.token ?? '';
  };
  const register = async (token: string, ...numbers: number[]): Promise<void> => {
    for (const number of numbers) {
      const peerUrls = [`http://10.0.0.${number}:2380`];
      await service.client.register({ token, memberId: `${number}`, name: `infra${number}`, peerUrls });
    }
  };
  const ask = (token: string, query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${service.url}/_start/${token}?${query}`, init);
  const json = async <T>(token: string, query: string): Promise<T> =>
    (await (await ask(token, `${query}&format=json`)).json()) as T;

  test('returns what the command line prints, is not cached, and logs no token', async () => {
    const token = await newToken();
    const formats = slow
      ? ['flags', 'env', 'yaml', 'systemd', 'compose', 'kubernetes']
      : ['flags', 'compose'];
    for (const format of formats) {
      const answer = await ask(token, `${NODE}&format=${format}`);
      assert.deepEqual(
        [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
        [200, 'text/plain; charset=utf-8', 'no-store'],
      );
      const args = ['--etcd', '3.7', '--name', 'infra1', '--ip', '10.0.0.1', '--format', format];
      const { stdout } = await run(['flags', `${service.url}/${token}`, ...args]);
      assert.equal(await answer.text(), stdout);
    }
    const lines = service.logged.filter((line) => line.includes('"surface":"start"'));
    assert.equal(lines.length, formats.length);
    assert.ok(!lines.join().includes(token) && lines.every((line) => line.includes('/_start/')));
    assert.match(
      await (await fetch(`${service.url}/metrics`)).text(),
      new RegExp(
        `^discovery_requests_total\\{surface="start",method="GET",code="200"\\} ${formats.length}$`,
        'm',
      ),
    );
  });

  test('tells programs what to do in each state of the cluster', async () => {
    const token = await newToken();
    const first = await json<JsonAnswer>(token, NODE);
    assert.equal(first.action, 'start');
    assert.deepEqual([first.steps, first.initialCluster, first.cluster.state], [[], '', 'ASSEMBLING']);
    assert.equal(first.start.flags['discovery-token'], token);
    await register(token, 1, 2, 3);
    const own = await json<JsonAnswer>(token, NODE);
    assert.deepEqual(
      [own.action, own.cluster.state, own.cluster.members.length],
      ['restart-with-data', 'COMPLETE', 3],
    );
    const lost = await json<JsonAnswer>(token, `${NODE}&data=lost`);
    assert.equal(lost.action, 'replace');
    assert.match(lost.steps.join('\n'), /member remove\n.* member add infra1 /);
    assert.equal(lost.start.flags['initial-cluster-state'], 'existing');
    assert.equal(lost.start.flags['discovery-token'], undefined);
    const late = await json<JsonAnswer>(token, 'etcd=3.7&name=infra4&ip=10.0.0.4');
    assert.equal(late.action, 'join-late');
    assert.equal(late.initialCluster.split(',').length, 4);
  });

  test('rejects a node with a status, a text for people and a reason for programs', async () => {
    const [assembling, complete, deleted] = [await newToken(), await newToken(), await newToken(1)];
    const expired = await newToken(5, { nanos: 1_000_000 });
    await register(assembling, 1);
    await register(complete, 1, 2, 3);
    await register(deleted, 1);
    await service.client.deleteToken({ token: deleted });
    await waitFor('a token to expire', async () => (await ask(expired, NODE)).status === 410);
    const rows: ReadonlyArray<
      readonly [token: string, query: string, status: number, reason: string, words: RegExp]
    > = [
      [assembling, 'name=infra1', 400, 'INVALID_ARGUMENT', /etcd and ip \(or host\) are missing/],
      [
        assembling,
        'etcd=3.7&name=infra1&ip=10.0.0.9',
        409,
        'NAME_TAKEN',
        /infra1 is already the member at http:\/\/10\.0\.0\.1:2380/,
      ],
      [assembling, 'etcd=3.7&name=infra9&ip=10.0.0.1', 409, 'PEER_URL_TAKEN', /address of member infra1/],
      [complete, 'etcd=3.7&name=infra1&ip=10.0.0.9', 409, 'NAME_TAKEN', /data=lost/],
      [
        assembling,
        'etcd=3.7&name=infra2&ip=10.0.0.2&data=kept',
        409,
        'DATA_OF_ANOTHER_CLUSTER',
        /empty the directory/,
      ],
      ['nobody-made-it', NODE, 404, 'TOKEN_NOT_FOUND', /no such token/],
      ['bad!', NODE, 400, 'INVALID_ARGUMENT', /a token must have/],
      [`${assembling}/deeper`, NODE, 400, 'INVALID_ARGUMENT', /use \/_start\/TOKEN/],
      [expired, NODE, 410, 'TOKEN_EXPIRED', /new token.*new\?size=5/],
      [deleted, NODE, 410, 'TOKEN_DELETED', /existing member with its data.*etcdctl member add/],
    ];
    for (const [token, query, status, reason, words] of rows) {
      const answer = await ask(token, query);
      const text = await answer.text();
      assert.deepEqual([answer.status, answer.headers.get('cache-control')], [status, 'no-store'], text);
      assert.match(text, words);
      assert.match(text, /^etcd-discovery: .+\nnext: .+\n$/);
      const { error } = await json<{ error: Record<string, string> }>(token, query);
      assert.equal(error['reason'], reason);
    }
    assert.ok(
      service.logged.some(
        (line) => line.includes('"surface":"start"') && line.includes('"reason":"NAME_TAKEN"'),
      ),
    );
  });

  test('requires the secret of a guarded token, and returns commands with it', async () => {
    const { cluster, secrets } = await service.client.createToken({
      size: 3,
      guard: [Access.READ, Access.JOIN],
    });
    const token = cluster?.token ?? '';
    const secret = secrets.find(({ access }) => access === Access.JOIN)?.secret ?? '';
    const without = await ask(token, NODE);
    assert.equal(without.status, 401);
    assert.match(await without.text(), /\/_start\/TOKEN:SECRET/);
    assert.equal((await ask(`${token}:nonsense`, NODE)).status, 403);
    for (const written of [`${token}:${secret}`, `${token}%3A${secret}`]) {
      const { start } = await json<JsonAnswer>(written, NODE);
      assert.equal(start.flags['discovery-token'], `${token}:${secret}`);
    }
    assert.ok(!service.logged.join().includes(secret));
  });

  test('accepts only GET and HEAD', async () => {
    const token = await newToken();
    const head = await ask(token, NODE, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const posted = await ask(token, NODE, { method: 'POST' });
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
  });
});

test('a client above its rate limit gets an error in the requested format, with the time to retry', async (t) => {
  const { limits } = defaultConfig();
  const requests = { burst: 2, interval: 3_600_000 };
  const service = await startService(
    {},
    {
      trustedProxies: parseCidrs('127.0.0.0/8'),
      limits: { ...limits, perClient: { ...limits.perClient, requests } },
    },
  );
  t.after(() => service.stop());
  const ask = (format: string): Promise<Response> =>
    fetch(`${service.url}/_start/t?${NODE}&format=${format}`, {
      headers: { 'X-Forwarded-For': '198.51.100.1' },
    });
  assert.deepEqual([(await ask('env')).status, (await ask('env')).status], [404, 404]);
  const text = await ask('env');
  assert.deepEqual([text.status, text.headers.has('retry-after')], [429, true]);
  const { error } = (await (await ask('json')).json()) as { error: { reason: string } };
  assert.equal(error.reason, 'TOO_MANY_REQUESTS');
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { EXIT } from '../../src/cli/exit.ts';
import { run } from '../../src/cli/run.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { issueCredential, parseAuthFile } from '../../src/server/clients/auth-file.ts';
import { infra } from '../rpc/calls.ts';
import { type RunningService, startService } from '../support/service.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const file = join(directory, 'callers');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function called(args: readonly string[], env: Record<string, string>, columns?: number): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await run(args, {
    env,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    columns: () => columns,
    ask: undefined,
  });
  return { code, out, err };
}

suite('etcd-discovery list', () => {
  let service: RunningService;
  let maker: DiscoveryClient;
  let env: Record<string, string>;
  const tokens: string[] = [];
  before(async () => {
    // Like an operator.
    const issued = await called(['credential', 'ops', '--operator'], {});
    const secret = /: (\S+)\n$/.exec(issued.err)?.[1] ?? '';
    const ada = issueCredential('ada');
    writeFileSync(file, `${issued.out}${ada.line}\n`);
    const known = parseAuthFile(issued.out);
    assert.ok(typeof known === 'object');
    assert.deepEqual([...known.values()], [{ name: 'ops', isOperator: true }]);
    service = await startService({}, { auth: { mode: 'create', file } });
    env = { DISC_CREDENTIALS: `ops:${secret}`, DISC_SERVER: service.url };
    maker = createDiscoveryClient(service.url, { headers: { Authorization: `Bearer ${ada.secret}` } });
    for (let i = 0; i < 4; i++) {
      const { cluster } = await maker.createToken({ size: 3, description: 'for the tests of the table' });
      tokens.push(cluster?.token ?? '');
    }
    const [first = '', second = '', third = ''] = tokens;
    for (const i of [1, 2, 3]) await maker.register({ token: first, ...infra(i) });
    await maker.register({ token: second, ...infra(1) });
    await maker.register({ token: second, ...infra(2), peerUrls: ['https://10.0.0.2:2380'] });
    await maker.deleteToken({ token: third });
  });
  after(() => service.stop());

  test('shows a row for each cluster, within 80 columns', async () => {
    for (const columns of [80, 120, undefined]) {
      const { code, out, err } = await called(['list'], env, columns);
      assert.deepEqual([code, err], [EXIT.DONE, '']);
      const [headings = '', ...rows] = out.trimEnd().split('\n');
      assert.equal(rows.length, 4);
      const state = headings.indexOf('STATE');
      for (const row of rows) {
        assert.ok(columns === undefined || row.length <= columns, row);
        assert.match(row.slice(state), /^(assembling|complete|deleted)!? +\d\/3 /, 'in one column');
      }
      const [first = '', second = ''] = tokens;
      assert.match(rows.find((row) => row.startsWith(first)) ?? '', / complete +3\/3 .*infra1,/);
      assert.match(
        rows.find((row) => row.startsWith(second)) ?? '',
        / assembling! +2\/3 +\d+s +\d+s .*infra1/,
      );
      assert.equal(headings.includes('BY') && out.includes('ada'), columns !== 80);
    }
  });

  test('has pages and filters, and prints how to continue', async () => {
    const listed: string[] = [];
    let args = ['list', '--limit', '3'];
    for (let pages = 0; pages < 2; pages++) {
      const { out, err } = await called(args, env);
      listed.push(
        ...out
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((row) => row.split(' ')[0] ?? ''),
      );
      args = /etcd-discovery (list .*)\n/.exec(err)?.[1]?.split(' ') ?? [];
    }
    assert.deepEqual(args, [], 'the second page is the last');
    assert.deepEqual(listed.toSorted(), tokens.toSorted());
    const states = await called(['list', '--state', 'deleted', '--state', 'complete'], env);
    assert.equal(states.out.trimEnd().split('\n').length, 3);
    const stuck = await called(['list', '--stuck', '0s', '-o', 'json'], env);
    const { clusters } = JSON.parse(stuck.out) as { clusters: Array<Record<string, unknown>> };
    assert.deepEqual(new Set(clusters.map(({ token }) => token)), new Set([tokens[1], tokens[3]]));
    assert.deepEqual(
      clusters.map(({ state, creator }) => [state, creator]),
      clusters.map(() => ['CLUSTER_STATE_ASSEMBLING', 'ada']),
    );
    const none = await called(['list', '--stuck', '1h'], env);
    assert.deepEqual([none.code, none.out], [EXIT.DONE, '']);
    assert.match(none.err, /no matching clusters/);
    assert.equal(
      (await called(['list', '--stuck', '1h', '-o', 'json'], env)).out,
      '{"clusters":[],"nextPageToken":""}\n',
    );
  });

  test('has the exit codes of the other commands', async () => {
    const { DISC_CREDENTIALS: _, ...stranger } = env;
    for (const [args, as, code] of [
      [['list'], stranger, EXIT.DENIED],
      [['list', '--state', 'lost'], env, EXIT.WRONG],
      [['list', '--limit', '0'], env, EXIT.WRONG],
      [['list', '--page', 'x'], env, EXIT.WRONG],
      [['list', '--state', 'complete', '--stuck', '1m'], env, EXIT.WRONG],
    ] as const) {
      const ran = await called(args, as);
      assert.deepEqual([ran.code, ran.out], [code, ''], args.join(' '));
      assert.match(ran.err, /^etcd-discovery: \S/);
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import { Command, run, SpawnedService } from '../support/child.ts';
import { noPty, Pty } from '../support/pty.ts';
import { waitFor } from '../support/wait.ts';

// `watch` and `wait` while the service goes away and returns, in a pipe and on a terminal.

let service: SpawnedService;
let client: DiscoveryClient;
before(async () => {
  service = await SpawnedService.start(['--min-ttl', '1s']);
  client = createDiscoveryClient(service.url);
});
after(() => service.remove());

let tokens = 0;
async function newToken(size: number, ttlSeconds = 3600): Promise<string> {
  tokens += 1;
  const ttl = { seconds: BigInt(ttlSeconds), nanos: 0 };
  const { cluster } = await client.createToken({ size, token: `live-${tokens}`, ttl });
  return cluster?.token ?? '';
}

async function register(token: string, number: number): Promise<void> {
  const peerUrls = [`http://10.0.0.${number}:2380`];
  await client.register({ token, memberId: String(number), name: `infra${number}`, peerUrls });
}

async function restart(): Promise<void> {
  await service.end('SIGKILL');
  service = await service.again(['--min-ttl', '1s']);
}

function begin(...args: string[]): Command {
  return new Command([...args, '--server', service.url]);
}

/** Returns the lines without their time, which comes first. */
function messagesIn(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, ''));
}

const COMPLETE = 'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380';

suite('in a pipe', () => {
  test('watch and wait print a warning when a member causes it', async () => {
    const token = await newToken(3);
    await register(token, 1);
    const [watch, json, wait] = [
      begin('watch', token),
      begin('watch', token, '-o', 'json'),
      begin('wait', token),
    ];
    await waitFor('the first member', () =>
      [watch.stdout, json.stdout, wait.stderr].every((text) => text.includes('infra1')),
    );
    await client.register({ token, memberId: '2', name: 'infra2', peerUrls: ['http://localhost:2380'] });
    // The third member only joins the same warning.
    await register(token, 3);
    assert.equal((await wait.ended).code, 0);
    assert.equal(
      messagesIn(wait.stderr).filter((line) => line.startsWith('warning: infra2 ')).length,
      1,
      wait.stderr,
    );
    await waitFor('the end', () => watch.stdout.includes('complete') && json.stdout.split('\n').length === 4);
    assert.equal(
      messagesIn(watch.stdout).filter((line) => line.startsWith('warning: infra2 ')).length,
      1,
      watch.stdout,
    );
    const { warnings } = JSON.parse(json.stdout.split('\n')[1] ?? '') as {
      warnings: Array<{ kind: string }>;
    };
    assert.deepEqual(
      warnings.map(({ kind }) => kind),
      ['WARNING_KIND_LOOPBACK'],
    );
    await client.deleteToken({ token });
    await Promise.all([watch.ended, json.ended]);
  });

  test('watch prints every change once, one per line, across a restart of the service', async () => {
    const token = await newToken(2);
    await register(token, 1);
    const watch = begin('watch', token);
    await waitFor('the first lines', () => watch.stdout.includes('missing'));
    await restart();
    await waitFor('the reconnection attempt', () => watch.stderr.includes('trying again'));
    await client.deregister({ token, memberId: '1' });
    await register(token, 1);
    await register(token, 2);
    await waitFor('the second member', () => watch.stdout.includes('complete'));
    await client.deleteToken({ token });
    assert.deepEqual(await watch.ended, { code: 5, signal: null });
    const [first, ...more] = messagesIn(watch.stdout);
    assert.equal(first, 'infra1 (http://10.0.0.1:2380) registered');
    assert.deepEqual(more, [
      '1 of 2, 1 missing',
      'infra1 removed: 0 of 2, 2 missing',
      'infra1 (http://10.0.0.1:2380) registered: 1 of 2, 1 missing',
      'infra2 (http://10.0.0.2:2380) registered: 2 of 2',
      `complete: ${COMPLETE}`,
      'the token was deleted: 0 of 2',
    ]);
    const [broken, ...healed] = messagesIn(watch.stderr);
    assert.match(broken ?? '', /^cannot reach .*; trying again$/);
    assert.deepEqual(healed, ['reconnected to the service']);
    assert.ok(!watch.stdout.includes('\x1b') && !watch.stdout.includes('\r'));
  });

  test('watch --output json prints an object of the API on each line', async () => {
    const token = await newToken(2);
    const watch = begin('watch', token, '--output', 'json');
    await waitFor('the snapshot', () => watch.stdout.includes('snapshot'));
    await restart();
    await waitFor('the reconnection attempt', () => watch.stderr.includes('\n'));
    await register(token, 1);
    await client.deleteToken({ token });
    assert.equal((await watch.ended).code, 5);
    const { warning } = JSON.parse(watch.stderr) as { warning: { message: string } };
    assert.match(warning.message, /^cannot reach .*; trying again$/);
    const lines = watch.log() as Array<{ snapshot?: { cluster: unknown }; event?: { type: string } }>;
    assert.deepEqual(
      lines.map(({ snapshot, event }) => (snapshot === undefined ? event?.type : 'snapshot')),
      ['snapshot', 'MEMBER_EVENT_TYPE_REGISTERED', 'MEMBER_EVENT_TYPE_TOKEN_DELETED'],
    );
  });

  test('watch ends silently when its reader closes the pipe', async () => {
    const token = await newToken(1);
    const watch = begin('watch', token);
    await waitFor('the first line', () => watch.stdout.includes('missing'));
    watch.child.stdout?.destroy();
    await register(token, 1);
    assert.deepEqual([(await watch.ended).code, watch.stderr], [0, '']);
  });

  test('wait prints only the initial cluster, across a restart of the service', async () => {
    const token = await newToken(2);
    const wait = begin('wait', token, '--timeout', '1h');
    await waitFor('the first line', () => wait.stderr.includes('0 of 2, 2 missing'));
    await register(token, 1);
    await restart();
    await register(token, 2);
    assert.deepEqual([await wait.ended, wait.stdout], [{ code: 0, signal: null }, `${COMPLETE}\n`]);
    const lines = messagesIn(wait.stderr);
    assert.equal(lines.filter((line) => line.startsWith('infra1 ')).length, 1);
    assert.deepEqual(lines.slice(-2), ['infra2 (http://10.0.0.2:2380) registered: 2 of 2', 'complete']);
  });

  test('wait can start before the service', async () => {
    const token = await newToken(1);
    await register(token, 1);
    await service.end('SIGKILL');
    const wait = begin('wait', token);
    await waitFor('the failure', () => wait.stderr.includes('connection refused; trying again'));
    service = await service.again(['--min-ttl', '1s']);
    assert.deepEqual([(await wait.ended).code, wait.stdout], [0, 'infra1=http://10.0.0.1:2380\n']);
  });

  test('wait that times out exits with code 6, and lists the registered nodes', async () => {
    const token = await newToken(3);
    await register(token, 1);
    // On a slow machine a second may pass before the first message: then retry with a longer timeout.
    const timedOut = async (url: string, pattern: RegExp): Promise<void> => {
      for (let seconds = 1; ; seconds *= 4) {
        const args = ['wait', token, '--timeout', `${seconds}s`, '-s', url];
        const { code, stdout, stderr } = await run(args);
        assert.deepEqual([code, stdout], [6, '']);
        const [, reason = ''] =
          new RegExp(`^etcd-discovery: timed out after ${seconds}s(.*)\n$`, 'm').exec(stderr) ?? [];
        if (pattern.test(reason) || seconds > 16) return assert.match(reason, pattern, stderr);
      }
    };
    await timedOut(service.url, /^: 1 of 3, 2 missing; .*\binfra1$/);
    const json = await run(['wait', token, '--timeout', '1s', '-s', service.url, '-o', 'json']);
    assert.equal((JSON.parse(json.stderr) as { error: { exitCode: number } }).error.exitCode, 6);
    await timedOut('http://127.0.0.1:1', /^: cannot reach http:\/\/127\.0\.0\.1:1: connection refused$/);
  });

  test('wait and watch exit with code 5 when the token expires or is deleted', async () => {
    const [expires, deleted] = [await newToken(2, 4), await newToken(2)];
    const ends = [begin('wait', expires), begin('watch', expires), begin('wait', deleted)];
    // On a slow machine the other token may expire before they start, which they report in the same words.
    await waitFor('the last of them', () => ends[2]?.stderr.includes('2 missing') === true);
    await client.deleteToken({ token: deleted });
    assert.deepEqual(await Promise.all(ends.map(async (each) => (await each.ended).code)), [5, 5, 5]);
    assert.match(
      ends[0]?.stderr ?? '',
      /^etcd-discovery: the token expired .*\nnext: etcd-discovery reopen \S+, or etcd-discovery new --size 2 --server http\S+\n$/m,
    );
    assert.match(ends[1]?.stderr ?? '', /^etcd-discovery: the token expired /);
    assert.match(ends[2]?.stderr ?? '', /\netcd-discovery: the token was deleted while waiting\n/);
  });

  test('wait --output json prints the members', async () => {
    const token = await newToken(1);
    await register(token, 1);
    const { code, stdout, stderr } = await run(['wait', token, '-s', service.url, '-o', 'json']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      (JSON.parse(stdout) as { initialCluster: string }).initialCluster,
      'infra1=http://10.0.0.1:2380',
    );
  });
});

suite('on a terminal', { skip: noPty }, () => {
  test('watch draws a progress bar below the changes, and removes it at the end', async () => {
    const token = await newToken(2);
    const watch = Pty.run(['watch', token, '--server', service.url]);
    const status = (): string => watch.screen().split('\n').at(-1) ?? '';
    await waitFor('an empty bar', () =>
      /^\[-{24}\] 0 of 2, 2 missing, expires in (1h|59m \d+s)$/.test(status()),
    );
    await register(token, 1);
    await waitFor('half a bar', () => /^\[#{12}-{12}\] 1 of 2, 1 missing, /.test(status()));
    await restart();
    // The bar may already be redrawn below it.
    await waitFor('the break', () => /^cannot reach .*; trying again\r?$/m.test(watch.screen()));
    await register(token, 2);
    await waitFor('a full bar', () => /^\[#{24}\] 2 of 2, expires in /.test(status()));
    const lines = watch.screen().split('\r\n').join('\n').split('\n');
    assert.match(
      watch.screen(),
      /^\d\d:\d\d:\d\d infra1 \(http:\/\/10\.0\.0\.1:2380\) registered: 1 of 2, 1 missing$/m,
    );
    assert.equal(lines.filter((line) => line.includes('infra2 (')).length, 1);
    assert.match(watch.screen(), new RegExp(`^\\d\\d:\\d\\d:\\d\\d complete: ${COMPLETE}$`, 'm'));
    assert.ok(watch.output.includes('\x1b[32mcomplete'));
    await client.deleteToken({ token });
    assert.equal((await watch.ended).code, 5);
    assert.match(watch.screen(), /the token was deleted: 0 of 2\n$/);
  });

  test('the bar fits a narrow terminal, and Ctrl-C leaves it on its own line', async () => {
    const token = await newToken(3);
    const watch = Pty.run(['watch', token, '--server', service.url], {}, 34);
    await waitFor('the bar', () => watch.screen().endsWith(`[${'-'.repeat(24)}] 0 of 3`));
    watch.type('\x03');
    const { code } = await watch.ended;
    assert.equal(code, 130);
    assert.match(watch.screen(), /0 of 3(\^C)?\n$/);
  });

  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }] as const) {
    test(`${Object.entries(env).join('=').replace(',', '=')}: no colours`, async () => {
      const token = await newToken(1);
      await register(token, 1);
      const show = Pty.run(['show', token, '--server', service.url], env);
      await show.ended;
      assert.match(show.output, /state: +complete/);
      assert.ok(!show.output.includes('\x1b'));
      const shown = Pty.run(['show', token, '--server', service.url]);
      await shown.ended;
      assert.ok(shown.output.includes('\x1b[32mcomplete\x1b[39m'));
    });
  }

  test('wait draws its bar on stderr, so that its output can be captured', async () => {
    const token = await newToken(1);
    const command = `${process.execPath} ${process.argv[1]?.replace(/test\/cli.*/, 'src/main.cjs')}`;
    const wait = new Pty(`bash -c 'kept=$(${command} wait ${token} -s ${service.url}); echo "kept: $kept"'`);
    await waitFor('the bar', () => wait.screen().includes('[------------------------] 0 of 1, 1 missing'));
    await register(token, 1);
    assert.equal((await wait.ended).code, 0);
    assert.match(wait.screen(), /^kept: infra1=http:\/\/10\.0\.0\.1:2380$/m);
  });

  test('wait on a terminal prints its value on a line of its own, whatever is redirected', async () => {
    const command = `${process.execPath} ${process.argv[1]?.replace(/test\/cli.*/, 'src/main.cjs')}`;
    const value = /^infra1=http:\/\/10\.0\.0\.1:2380$/m;
    for (const [redirect, env, columns, isOnScreen] of [
      ['', {}, 80, true],
      ['', {}, 30, true],
      ['', { TERM: 'dumb' }, 80, true],
      ['2>/dev/null', {}, 80, true],
      ['| cat', {}, 80, true],
      ['>/dev/null', {}, 80, false],
    ] as const) {
      const token = await newToken(1);
      const wait = new Pty(`bash -c '${command} wait ${token} -s ${service.url} ${redirect}'`, env, columns);
      const isDrawn = !redirect.startsWith('2') && !('TERM' in env);
      if (isDrawn) await waitFor('the bar', () => wait.screen().includes('[-----'));
      await register(token, 1);
      await wait.ended;
      const context = `${redirect} ${JSON.stringify(env)} ${columns}: ${JSON.stringify(wait.output)}`;
      const screen = wait.screen().replaceAll('\r', '');
      assert.equal(value.test(screen), isOnScreen, context);
      assert.doesNotMatch(screen, /\[[#-]+\]/, context);
      if (!isDrawn) assert.ok(!wait.output.includes('\x1b'), context);
    }
  });

  test('delete asks for confirmation, and accepts only yes', async () => {
    const token = await newToken(2);
    await register(token, 1);
    for (const [answer, code, state] of [
      ['no\n', 1, 1],
      ['\x04', 1, 1],
      ['\x03', 130, 1],
      ['yes\n', 0, 4],
    ] as const) {
      const asked = Pty.run(['delete', token, '--server', service.url]);
      const question = `Delete the token ${token} (assembling, 1 of 2, 1 missing)? Type yes to confirm: `;
      await waitFor('the question', () => asked.screen().includes(question));
      asked.type(answer);
      assert.equal((await asked.ended).code, code);
      if (code === 1) assert.match(asked.screen(), /\netcd-discovery: not deleted\s*$/);
      assert.equal((await client.getCluster({ token })).cluster?.state, state);
    }
  });
});

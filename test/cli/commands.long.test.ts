import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { run, SpawnedService } from '../support/child.ts';

// The commands against a service in another process, used like by a script and by a person.

let service: SpawnedService;
before(async () => {
  service = await SpawnedService.start();
});
after(() => service.remove());

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command on the service in DISC_SERVER. */
function ask(...args: string[]): Promise<Ran> {
  return run(args, { DISC_SERVER: service.url });
}

async function newToken(size: number, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await ask('new', '--size', String(size), '--quiet', ...flags);
  assert.deepEqual([code, stderr], [0, '']);
  return stdout.trim();
}

/** Registers infra1 at 10.0.0.1, infra2 at 10.0.0.2 and so on. */
async function register(token: string, number: number, ...flags: string[]): Promise<Ran> {
  return ask(
    'register',
    token,
    '--name',
    `infra${number}`,
    '--peer-url',
    `http://10.0.0.${number}:2380`,
    ...flags,
  );
}

function parsed(text: string): unknown {
  assert.equal(text.indexOf('\n'), text.length - 1, `one line: ${text}`);
  return JSON.parse(text);
}

/** Replaces times, revisions and tokens, which differ between runs. */
function steady(text: string): string {
  return text
    .replaceAll(service.url, 'http://SERVICE')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'TOKEN')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/\((?:\d+m ?)?(?:\d+s)? ago\)/g, '(0s ago)')
    .replaceAll('(in 6d 23h)', '(in 7d)')
    .replaceAll('(in 23h 59m)', '(in 1d)');
}

suite('new', () => {
  test('prints the token, its URL, and how to start the next node', async () => {
    const { code, stdout, stderr } = await ask('new', '--size', '5', '--ttl', '24h');
    assert.equal(code, 0);
    assert.equal(
      steady(stdout),
      `Created a token for a cluster of 5:

  token    TOKEN
  URL      http://SERVICE/TOKEN
  expires  TIME (in 1d)

Start each of the 5 nodes with it, in addition to the node's own name and URLs:

  etcd 3.4, 3.5   --discovery http://SERVICE/TOKEN
  etcd 3.6, 3.7   --discovery-token TOKEN --discovery-endpoints http://SERVICE

All settings:  etcd-discovery flags http://SERVICE/TOKEN --etcd 3.6 --name NAME --ip ADDRESS
Watch nodes:   etcd-discovery watch http://SERVICE/TOKEN
`,
    );
    assert.match(stderr, /^note: only this machine can reach .*--server/);
  });

  test('creates a custom token once, and finds it when repeated', async () => {
    const args = ['new', '--token', 'mine', '--description', 'staging', '--allow-rejoin', '-o', 'json'];
    const first = parsed((await ask(...args)).stdout) as Record<string, unknown>;
    assert.equal(first['created'], true);
    assert.equal(first['url'], `${service.url}/mine`);
    const again = parsed((await ask(...args)).stdout) as {
      created: boolean;
      cluster: Record<string, unknown>;
    };
    assert.equal(again.created, false);
    const { token, size, description, allowRejoin, state } = again.cluster;
    assert.deepEqual(
      { token, size, description, allowRejoin, state },
      {
        token: 'mine',
        size: 3,
        description: 'staging',
        allowRejoin: true,
        state: 'CLUSTER_STATE_ASSEMBLING',
      },
    );
    const other = await ask('new', '--token', 'mine', '--size', '4');
    assert.equal(other.code, 7);
    assert.match(other.stderr, / size 3, which cannot change.*\nnext: omit --token/);
  });
});

suite('a cluster from creation to deletion', () => {
  test('is shown while it forms, by its token and by its URL', async () => {
    const url = await newToken(2, '--description', 'for the test');
    const token = url.slice(service.url.length + 1);
    assert.deepEqual(await ask('list-members', url), {
      code: 0,
      stdout: '',
      stderr: 'no nodes have registered yet: 0 of 2, 2 missing\n',
    });
    assert.equal((await register(token, 1)).stdout, 'infra1 registered: 1 of 2, 1 missing\n');
    assert.equal((await register(url, 1)).stdout, 'infra1 was already registered: 1 of 2, 1 missing\n');
    assert.equal((await register(token, 2, '--id', 'second')).stdout, 'infra2 registered: 2 of 2\n');
    assert.equal((await register(token, 3, '--standby')).stdout, 'infra3 registered as a standby: 2 of 2\n');
    // The URL selects its own service, whatever the environment says.
    const { code, stdout, stderr } = await run(['show', url], { DISC_SERVER: 'http://127.0.0.1:1' });
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      steady(stdout),
      `token:       TOKEN
state:       complete
members:     2 of 2
standbys:    1
description: for the test
created:     TIME (0s ago)
expires:     TIME (in 7d)

RANK     NAME    ID      PEER URLS             REGISTERED
1        infra1  infra1  http://10.0.0.1:2380  TIME
2        infra2  second  http://10.0.0.2:2380  TIME
standby  infra3  infra3  http://10.0.0.3:2380  TIME

initial cluster: infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380
`,
    );
    const list = parsed((await ask('list-members', token, '--output', 'json')).stdout) as Record<
      string,
      unknown
    >;
    assert.equal(list['initialCluster'], 'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380');
    assert.deepEqual(parsed((await ask('show', token, '--output', 'json')).stdout), list);
  });

  test('a warning about likely wrong addresses is kept apart from the output for scripts', async () => {
    const token = await newToken(3);
    await register(token, 1);
    const local = ['--name', 'infra2', '--peer-url', 'http://localhost:2380'];
    const registered = await ask('register', token, ...local);
    assert.equal(registered.stdout, 'infra2 registered: 2 of 3, 1 missing\n');
    const WARNING = /^warning: infra2 \(http:\/\/localhost:2380\) .+$/m;
    assert.match(registered.stderr, WARNING);
    assert.match((await ask('list-members', token)).stderr, WARNING);
    assert.match((await ask('show', token)).stdout, WARNING);
    const json = await ask('show', token, '--output', 'json');
    const { cluster } = parsed(json.stdout) as { cluster: { warnings: Array<{ kind: string }> } };
    assert.deepEqual(
      [json.stderr, cluster.warnings.map(({ kind }) => kind)],
      ['', ['WARNING_KIND_LOOPBACK']],
    );
  });

  test('join-late prints no command with an address that cannot work', async () => {
    const peerUrl = ['--peer-url', 'http://0.0.0.0:2380'];
    const { code, stdout, stderr } = await ask('join-late', 'any', '--name', 'infra4', ...peerUrl);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--peer-url "http:\/\/0\.0\.0\.0:2380" .* listen/);
  });

  test("--server overrides the server in a token's URL", async () => {
    const url = `http://127.0.0.1:1/${(await newToken(1)).split('/').at(-1)}`;
    assert.equal((await run(['show', url, '--server', service.url])).code, 0);
  });

  test('a member is changed, and removed by its name or its id', async () => {
    const url = await newToken(3);
    await register(url, 1);
    await register(url, 2, '--id', 'two');
    const moved = [
      '--name',
      'infra1',
      '--peer-url',
      'http://10.0.0.9:2380',
      '--peer-url',
      'http://10.0.1.9:2380',
    ];
    assert.equal((await ask('register', url, ...moved)).code, 7);
    assert.equal(
      (await ask('register', url, ...moved, '--replace')).stdout,
      'infra1 replaced: 2 of 3, 1 missing\n',
    );
    assert.equal((await ask('deregister', url, 'infra1')).stdout, 'infra1 removed: 1 of 3, 2 missing\n');
    const last = parsed((await ask('deregister', url, 'two', '--output', 'json')).stdout);
    assert.equal((last as { member: { name: string } }).member.name, 'infra2');
    assert.deepEqual(await ask('deregister', url, 'infra1'), {
      code: 4,
      stdout: '',
      stderr: `etcd-discovery: no member has the name or id "infra1"\nnext: etcd-discovery list-members ${url}\n`,
    });
  });

  test('is deleted by a script only with --yes, and for good', async () => {
    const url = await newToken(3);
    await register(url, 1);
    assert.deepEqual(await ask('delete', url), {
      code: 2,
      stdout: '',
      stderr:
        'etcd-discovery: delete asks for confirmation, but standard input is not a terminal\nnext: add --yes\n',
    });
    assert.equal((await ask('show', url)).code, 0);
    assert.deepEqual(await ask('delete', url, '--yes'), { code: 0, stdout: 'deleted\n', stderr: '' });
    const shown = await ask('show', url);
    assert.equal(shown.code, 0);
    assert.match(steady(shown.stdout), /^state: +deleted$[^]*^deleted: +TIME \(0s ago\)$/m);
    // A client that missed the response may repeat the call.
    assert.equal((await ask('delete', url, '--yes')).code, 0);
    for (const args of [['wait'], ['watch'], ['reopen']]) {
      const { code, stderr } = await ask(...args, url);
      assert.equal(code, 5, args[0]);
      assert.match(
        stderr,
        /^etcd-discovery: the token was deleted .* ago.*\nnext: etcd-discovery new --size 3\n$/,
      );
    }
  });
});

suite('a late node', () => {
  test('is directed to its token while there is room, and gets the etcdctl command afterwards', async () => {
    const url = await newToken(2);
    await register(url, 1);
    const late = ['join-late', url, '--name', "in'fra3", '--peer-url', 'https://[fd00::3]:2380'];
    const early = await ask(...late);
    assert.equal(early.code, 1);
    assert.match(early.stderr, /still assembling \(1 of 2, 1 missing\).*\nnext: etcd-discovery flags http/);
    await ask('register', url, '--name', 'infra2', '--peer-url', 'https://[fd00::2]:2380');
    const { code, stdout, stderr } = await ask(...late);
    assert.equal(code, 0);
    assert.match(stdout, /^2 +infra2 +infra2 +https:\/\/\[fd00::2\]:2380 /m);
    assert.ok(
      stdout.includes(
        `\n   etcdctl --endpoints='http://10.0.0.1:2379,https://[fd00::2]:2379' member add 'in'\\''fra3' --peer-urls='https://[fd00::3]:2380'\n`,
      ),
      stdout,
    );
    assert.match(stderr, /^note: .*endpoints.*2379.*--endpoints/);
    const own = await ask(...late, '--endpoints', 'http://10.0.0.1:1', '-o', 'json');
    const { command, ...rest } = parsed(own.stdout) as Record<string, unknown>;
    assert.deepEqual(rest, { endpoints: ['http://10.0.0.1:1'], guessed: false });
    assert.match(String(command), /^etcdctl --endpoints=http:\/\/10\.0\.0\.1:1 member add /);
    assert.equal(own.stderr, '');
    const taken = await ask('join-late', url, '--name', 'infra2', '--peer-url', 'http://10.0.0.7:2380');
    assert.equal(taken.code, 7);
    assert.match(taken.stderr, /infra2 at https:\/\/\[fd00::2\]:2380 is already a member/);
    await ask('delete', url, '--yes');
    const ended = await ask('join-late', url, '--name', 'infra3', '--peer-url', 'http://10.0.0.3:2380');
    assert.equal(ended.code, 5);
    assert.match(
      ended.stderr,
      /: the token was deleted, .*\nnext: .*: etcdctl --endpoints=URL member add infra3 --peer-urls=http:\/\/10\.0\.0\.3:2380\n$/,
    );
  });
});

suite('flags', () => {
  test('prints how to start a node, for a valid token', async () => {
    const url = await newToken(3);
    const [, token] = /\/(\w+)$/.exec(url) ?? [];
    const node = [url, '--name', 'infra1', '--ip', '10.0.0.1'];
    const { code, stdout, stderr } = await ask('flags', ...node, '--etcd', '3.7', '--format', 'env');
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`^ETCD_DISCOVERY_TOKEN=${token}\nETCD_DISCOVERY_ENDPOINTS=${service.url}\n`, 'm'),
    );
    assert.match(stderr, /^note: only this machine can reach .*--server/);
    const mixed = ['--etcd', '3.6', '--mixed', '--peer-port', '12380', '--output', 'json'];
    const json = await ask('flags', ...node, ...mixed);
    assert.equal(json.stderr, '', 'notes are for people');
    const { text } = parsed(json.stdout) as { text: string };
    assert.match(text, new RegExp(`^  --discovery-token=${url} `, 'm'));
    assert.match(text, /^ {2}--listen-peer-urls=http:\/\/10\.0\.0\.1:12380 /m);
    const nobody = await ask('flags', 'nobody', '--etcd', '3.7', '--name', 'infra1', '--ip', '10.0.0.1');
    assert.deepEqual([nobody.code, nobody.stdout], [4, '']);
  });
});

test('new --quiet prints only the URL, and loses no secret', async () => {
  const plain = await ask('new', '--quiet');
  assert.match(plain.stdout, /^http:\/\/[^\n]+\n$/);
  assert.equal(plain.stderr, '');
  for (const guard of ['read', 'join', 'administer', 'read,join,administer']) {
    const { stdout, stderr } = await ask('new', '--quiet', '--guard', guard);
    const token = stdout
      .trim()
      .slice(service.url.length + 1)
      .replace(/:.*/, '');
    const secrets = [...stderr.matchAll(/^ +to (\w+) +(\S+)$/gm)].map(([, access = '', text = '']) => [
      access,
      text,
    ]);
    assert.equal(stdout.split('\n').length, 2, 'one line');
    assert.deepEqual(
      secrets.map(([access]) => access),
      guard.split(','),
    );
    for (const [, secret] of secrets) assert.ok(secret?.startsWith(`${token}:`), stderr);
    const highest = secrets.at(-1)?.[1] ?? '';
    assert.equal((await ask('show', highest)).code, 0, 'the secret grants access to the token');
  }
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSilentServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { run as runCommand } from '../../src/cli/run.ts';
import { freePorts } from '../etcd/harness/ports.ts';
import { Command, run, SpawnedService } from '../support/child.ts';
import { CA_FILE, KEY_FILE, TLS_ARGS } from '../tls/files.ts';

// The output of failed commands: the problem, the next step, and an exit code.

let service: SpawnedService;
let tls: SpawnedService;
before(async () => {
  service = await SpawnedService.start(['--custom-tokens', 'off', '--max-size', '9']);
  tls = await SpawnedService.start(TLS_ARGS);
});
after(async () => {
  await service.remove();
  await tls.remove();
});

/** Runs in this process: these calls end before they send or open anything. */
async function runHere(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommand(args, {
    env: {},
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    columns: () => undefined,
    ask: undefined,
  });
  return { code, stdout, stderr };
}

async function fails(args: readonly string[], code: number, text: RegExp): Promise<void> {
  const ran = await run(args);
  assert.match(ran.stderr, text);
  assert.ok(ran.stderr.trimEnd().split('\n').length <= 2, ran.stderr);
  assert.deepEqual([ran.code, ran.stdout], [code, '']);
}

suite('a usage error exits with code 2', () => {
  const wrong: ReadonlyArray<[args: string[], text: RegExp]> = [
    [['show'], /: show requires TOKEN; see etcd-discovery show --help\n$/],
    [['show', 'a', 'b'], /: unexpected argument "b"/],
    [['show', 'a', '--colour'], /: unknown flag "--colour"/],
    [['new', '-size', '3'], /: -size: .*two dashes; write --size/],
    [['-addr', ':8087'], /: "-addr" .*etcd-discovery serve --addr;/],
    [['--etcd=http://a:1'], /: "--etcd=.*" .*etcd-discovery serve --etcd;/],
    [['--colour'], /: unknown flag "--colour"/],
    [['flags', 'a', '--etcd', '3.6'], /: flags requires --name NAME;/],
    [['flags', 'a', '--etcd', '3.6', '--name', 'a'], /: flags requires --ip ADDRESS or --host HOST;/],
    [['flags', 'a', '--listen', 'localhost'], /--listen "localhost": must be an IP address/],
    [
      ['flags', 'a', '--etcd', '3.8', '--name', 'a', '--ip', '10.0.0.1'],
      /--etcd "3.8": must be 3.4, 3.5, 3.6 or 3.7/,
    ],
    [
      ['flags', 'a', '--etcd', '3.7', '--name', 'a', '--ip', 'localhost'],
      /--ip "localhost": must be an IP address/,
    ],
    [['flags', 'a', '--name', 'in fra'], /: --name "in fra": must be a name like infra1: .* no comma/],
    [['flags', 'a', '--name', 'in\u0085fra'], /: --name "in\\u0085fra": must be .*name/],
    [['flags', 'a', '--data-dir', '/a\nb'], /: --data-dir "\/a\\nb": must be a directory/],
    [['flags', 'a', '--discovery-cacert', '/a\nb'], /: --discovery-cacert "\/a\\nb": must be a file/],
    [['new', '--size', '0'], /: --size "0": must be a whole number from 1/],
    [['new', '--size'], /: --size requires a value: a whole number/],
    [['new', '--size', '3', '-n', '4'], /: --size .*only once/],
    [['new', '--quiet=yes'], /: --quiet does not take a value/],
    [['new', '--server', 'localhost'], /: --server "localhost": must be a URL like http:\/\/localhost:8087/],
    [['show', 'example.com/abc'], /: "example.com\/abc" is not a valid token; .*https:\/\//],
    [['show', 'http://localhost:8087'], /: the URL has no token: /],
    [['show', 'localhost:8087'], /: "localhost:8087" is not a valid token|: the URL has no token/],
    [['show', 'http://localhost:8087/'], /: the URL has no token: /],
    [['show', 'a', '--cert', 'x.pem'], /: a client certificate requires its private key: set both --cert/],
    [['shwo', 'a'], /: unknown command "shwo"; did you mean show\?\n$/],
    [['frobnicate'], /: unknown command "frobnicate"; see etcd-discovery --help\n$/],
    [['new', '--siez', '3'], /: unknown flag "--siez"; did you mean --size\?\n$/],
    [['new', '--output', 'jsno'], /: --output "jsno": must be text or json; did you mean json\?\n$/],
    [['serve', '--log-level', 'wran'], /: --log-level "wran": .* did you mean warn\?\n$/],
    [['--versoin'], /: unknown flag "--versoin"; did you mean --version\?\n$/],
    [['completion', 'bsh'], /: unknown shell "bsh"; did you mean bash\?\n$/],
    [['completion', 'tcsh'], /: unknown shell "tcsh"; use bash, zsh or fish/],
  ];
  for (const [args, text] of wrong) {
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await runHere(args);
      assert.match(stderr, text);
      assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
      assert.deepEqual([code, stdout], [2, '']);
    });
  }

  test('DISC_SERVER that is not a URL', async () => {
    const { code, stderr } = await run(['show', 'a'], { DISC_SERVER: 'here' });
    assert.deepEqual(
      [code, stderr.startsWith('etcd-discovery: DISC_SERVER "here": must be a URL')],
      [2, true],
    );
  });

  test('credentials followed by a line break', async () => {
    for (const credentials of ['secret\n', 'name:secret\n', 'sécret']) {
      const { code, stderr } = await run(['show', 'a'], { DISC_CREDENTIALS: credentials });
      assert.match(stderr, /^etcd-discovery: DISC_CREDENTIALS must be printable ASCII/);
      assert.doesNotMatch(stderr, /cret/);
      assert.equal(code, 2);
    }
  });

  test("a value above the service's limit", () =>
    fails(
      ['new', '--description', 'x'.repeat(100_000), '--server', service.url],
      2,
      /: the request is too large for http.*\n$/,
    ));

  test('as JSON, with --output json', async () => {
    const { code, stderr } = await run(['new', '--size', '0', '--output', 'json']);
    assert.deepEqual(
      [code, JSON.parse(stderr)],
      [
        2,
        {
          error: {
            exitCode: 2,
            reason: '',
            message: '--size "0": must be a whole number from 1 to 10000',
            next: '',
          },
        },
      ],
    );
  });

  test('a value that the service rejects', () =>
    fails(['new', '--size', '10', '--server', service.url], 2, /size must be 1 to 9 members, not 10/));
});

suite('an unavailable service exits with code 3', () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  async function listening(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('connection refused', async () => {
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    await fails(
      ['show', 'a', '-s', url],
      3,
      new RegExp(`: cannot reach ${url}: connection refused\nnext: .*--server`),
    );
  });

  test('unknown host', () =>
    fails(
      ['show', 'a', '-s', 'http://no-such-host.invalid'],
      3,
      /: cannot reach .*: (host not found|the name server)/,
    ));

  test('a URL without scheme uses http and prints a note, except when a secret would cross a network', async () => {
    const { host } = new URL(service.url);
    const made = await run(['new', '--quiet', '--server', host]);
    assert.deepEqual([made.code, made.stdout.startsWith(`${service.url}/`)], [0, true]);
    assert.equal(made.stderr, `note: no scheme was given; using ${service.url}\n`);
    const token = made.stdout.trim().slice(service.url.length + 1);
    assert.equal((await run(['show', `${host}/${token}`])).code, 0);
    const json = await run(['show', token, '-o', 'json'], { DISC_SERVER: host });
    assert.deepEqual([json.code, json.stderr], [0, '']);
    await fails(['show', 'a:secret', '-s', 'example.invalid:8087'], 2, /plaintext.*\nnext: write the scheme/);
  });

  test('a server that is not the service', async () => {
    const url = await listening(createServer((_, response) => response.writeHead(404).end('<h1>no</h1>')));
    await fails(
      ['show', 'a', '-s', url],
      3,
      /: the response from .* is not from a discovery service.*\nnext: /,
    );
  });

  test('no response', async () => {
    const url = await listening(createSilentServer((socket) => socket.on('error', () => {}).resume()));
    await fails(
      ['show', 'a', '-s', url],
      3,
      /: cannot reach .*: no response within 5 s\nnext: check the address/,
    );
  });

  test('a server that does not speak HTTP', async () => {
    const url = await listening(
      createSilentServer((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n')),
    );
    await fails(['show', 'a', '-s', url], 3, /: cannot reach .*: .*not speak HTTP\n/);
  });

  test('plaintext to a TLS port, and TLS to a plaintext port', async () => {
    await fails(
      ['show', 'a', '-s', tls.url.replace('https', 'http')],
      3,
      /next: if the service uses TLS, .*https:/,
    );
    await fails(
      ['show', 'a', '-s', service.url.replace('http', 'https')],
      3,
      /does not use TLS\nnext: .* http:/,
    );
  });

  test('an unknown CA, until --cacert names it', async () => {
    await fails(['show', 'a', '-s', tls.url], 3, /signed by an unknown authority\nnext: .*--cacert/);
    await fails(['health', '-s', tls.url], 3, /signed by an unknown authority\nnext: .*--cacert/);
    const health = await run(['health', '-s', tls.url, '--cacert', CA_FILE]);
    assert.deepEqual([health.code, health.stdout], [0, 'OK\n']);
    const { code, stdout } = await run(['new', '--quiet', '--server', tls.url, '--cacert', CA_FILE]);
    assert.deepEqual([code, stdout.startsWith(`${tls.url}/`)], [0, true]);
    // The printed commands use the CA too.
    const { stdout: text } = await run(['new', '--server', tls.url, '--cacert', CA_FILE]);
    const endpoints = `--discovery-endpoints ${tls.url} --discovery-insecure-transport=false`;
    assert.ok(text.includes(`${endpoints} --discovery-cacert ${CA_FILE}\n`), text);
    assert.ok(text.includes(`, with SSL_CERT_FILE=${CA_FILE} in the environment\n`), text);
    for (const line of ['flags', 'watch'])
      assert.match(text, new RegExp(` ${line} https:\\S+.* --cacert ${CA_FILE}\n`));
    // The next command reads the same environment.
    const env = { DISC_SERVER: tls.url, DISC_CACERT: CA_FILE };
    const made = await run(['new'], env);
    assert.ok(made.stdout.includes(`--discovery-cacert ${CA_FILE}\n`), made.stderr);
    assert.match(made.stdout, / watch https:\S+\n$/);
    assert.deepEqual([(await run(['health'], env)).code, made.code], [0, 0]);
  });

  test('a certificate for another name', async (t) => {
    const other = await SpawnedService.start(TLS_ARGS, { addr: '127.0.0.2:0' });
    t.after(() => other.remove());
    await fails(
      ['show', 'a', '--cacert', CA_FILE, '-s', other.url],
      3,
      /: the server's certificate is for another name \(.+\)\n/,
    );
  });

  test("a certificate with another one's key, or without a key", () =>
    fails(
      ['show', 'a', '-s', tls.url, '--cert', CA_FILE, '--key', KEY_FILE],
      2,
      /--cert and --key \(DISC_CERT, DISC_KEY\) require .*mismatch/,
    ));

  test('a CA file without a certificate', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'ca.pem');
    writeFileSync(file, 'nothing');
    await fails(
      ['show', 'a', '-s', tls.url, '--cacert', file],
      2,
      /--cacert \(DISC_CACERT\): the file does not contain a PEM certificate/,
    );
  });
});

test('a file that cannot be read is a failure, whatever names it', async () => {
  for (const call of [
    ['show', 'a', '--cacert'],
    ['serve', '--config'],
    ['check', '--config'],
    ['serve', '--auth', 'all', '--auth-file'],
  ]) {
    await fails([...call, '/no/such'], 1, /"\/no\/such": cannot read the file: no such file/);
  }
});

suite('a rejection has a text and an exit code', () => {
  test('unknown token', () =>
    fails(
      ['wait', 'nobody', '-s', service.url],
      4,
      /: no such token: .*\nnext: check the URL of the service/,
    ));

  test('the next step names the same service', async () => {
    const deleted = (await run(['new', '--quiet', '-s', service.url])).stdout.trim();
    await run(['delete', '--yes', deleted]);
    const { stderr } = await run(['reopen', deleted]);
    assert.match(stderr, new RegExp(`: etcd-discovery new --size 3 --server ${service.url}\n`));
    const usual = await run(['reopen', deleted], { DISC_SERVER: service.url });
    assert.match(usual.stderr, /: etcd-discovery new --size 3\n/);
    const url = (await run(['new', '--quiet', '-s', service.url])).stdout.trim();
    const token = url.slice(service.url.length + 1);
    const gone = await run(['deregister', token, 'nobody', '-s', service.url]);
    assert.ok(gone.stderr.endsWith(`next: etcd-discovery list-members ${url}\n`), gone.stderr);
  });

  test('a custom token where they are off', () =>
    fails(['new', '--token', 'mine', '-s', service.url], 1, /custom tokens.*\nnext: omit --token/));

  test('as JSON, with --output json', async () => {
    const { code, stdout, stderr } = await run(['list-members', 'nobody', '-s', service.url, '-o', 'json']);
    assert.deepEqual([code, stdout], [4, '']);
    const { error } = JSON.parse(stderr) as { error: Record<string, unknown> };
    assert.equal(error['exitCode'], 4);
    assert.equal(error['reason'], 'TOKEN_NOT_FOUND');
    assert.match(String(error['message']), /^no such token/);
    assert.match(String(error['next']), /--server, DISC_SERVER/);
  });
});

suite('output that cannot be written', () => {
  const to = (where: string, ...args: string[]): Promise<{ code: number | null; stderr: string }> => {
    const command = new Command(args, {}, 'ignore', `exec "${process.execPath}" "$@" ${where}`);
    return command.ended.then(({ code }) => ({ code, stderr: command.stderr }));
  };

  test('a full disk is an error of one line', {
    skip: !existsSync('/dev/full') && 'no /dev/full here',
  }, async () => {
    const { code, stderr } = await to('>/dev/full', '--version');
    assert.equal(code, 1);
    assert.match(stderr, /^etcd-discovery: cannot write to standard output: ENOSPC.*\n$/);
  });

  test('unread notes do not change the exit code', {
    skip: !existsSync('/dev/full') && 'no /dev/full here',
  }, async () => {
    assert.equal((await to('2>/dev/full', 'show')).code, 2);
  });
});

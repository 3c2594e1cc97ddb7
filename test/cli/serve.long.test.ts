import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDiscoveryClient } from '../../src/client/node.ts';
import { Command, run, SpawnedService } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';

const VERSION = (
  JSON.parse(readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8')) as {
    version: string;
  }
).version;

const started: SpawnedService[] = [];
after(async () => {
  for (const service of started) await service.remove();
});

async function start(...given: Parameters<typeof SpawnedService.start>): Promise<SpawnedService> {
  const service = await SpawnedService.start(...given);
  started.push(service);
  return service;
}

function message(command: Command, msg: RegExp): Record<string, unknown> | undefined {
  return command.log().find((line) => msg.test(String(line['msg'])));
}

/** Starts a registration whose body never comes: a call in progress for as long as the test needs. */
async function callUnderWay(service: SpawnedService): Promise<Socket> {
  const { cluster } = await createDiscoveryClient(service.url).createToken({ size: 3 });
  const { hostname, port } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  // The response to the first request shows that the second has started.
  socket.write(
    `GET /health HTTP/1.1\r\nHost: x\r\n\r\nPUT /${cluster?.token}/1?prevExist=false HTTP/1.1\r\nHost: x\r\n` +
      'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40\r\n\r\nvalue=',
  );
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

suite('help and versions', () => {
  test('--version and --help exit with code 0', async () => {
    assert.deepEqual(await run(['--version']), {
      code: 0,
      stdout: `etcd-discovery ${VERSION}\n`,
      stderr: '',
    });
    for (const word of ['--help', '-h', 'help']) {
      const { code, stdout, stderr } = await run([word]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^ {2}serve +\S/m);
    }
    assert.deepEqual(await run(['help', 'serve']), await run(['serve', '--help']));
    const wrong = 'unknown command "sevre"; did you mean serve?';
    assert.deepEqual(await run(['help', 'sevre']), {
      code: 2,
      stdout: '',
      stderr: `etcd-discovery: ${wrong}\n`,
    });
  });

  test('a usage error prints one line on stderr, or the help, and exits with code 2', async () => {
    const wrong = await run(['serv']);
    assert.deepEqual(wrong, {
      code: 2,
      stdout: '',
      stderr: 'etcd-discovery: unknown command "serv"; did you mean serve?\n',
    });
    assert.equal((await run(['--verbose'])).code, 2);
    const nothing = await run([]);
    assert.deepEqual([nothing.code, nothing.stdout], [2, '']);
    assert.match(nothing.stderr, /Usage: etcd-discovery COMMAND/);
  });
});

suite('a startup failure prints one line and exits with code 1', () => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function refused(args: readonly string[], line: RegExp): Promise<void> {
    const { code, stdout, stderr } = await run(['serve', ...args]);
    assert.match(stderr, line);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    assert.deepEqual([code, stdout], [1, '']);
  }

  test('the address is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await refused(
        ['--addr', `127.0.0.1:${port}`, '--data-dir', join(directory, 'a')],
        new RegExp(
          `^etcd-discovery: cannot listen on 127\\.0\\.0\\.1:${port}: .*already in use; .*--addr\n$`,
        ),
      );
    } finally {
      server.close();
    }
  });

  test('the address is not on this machine', async () => {
    const args = ['--addr', '[2001:db8::1]:8087', '--data-dir', join(directory, 'b')];
    await refused(args, /^etcd-discovery: cannot listen on \[2001:db8::1\]:8087: /);
  });

  test('another process has the data directory', async () => {
    const service = await start();
    await refused(
      ['--addr', '127.0.0.1:0', '--data-dir', service.dataDir],
      /another process is using the data/,
    );
    assert.equal((await fetch(`${service.url}/health`)).status, 200);
  });

  test('the data directory is a file', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, 'x');
    await refused(
      ['--addr', '127.0.0.1:0', '--data-dir', file],
      /^etcd-discovery: the data directory .* is a file/,
    );
  });
});

suite('a running service', () => {
  test('logs where it listens, its store, and the next command', async () => {
    const service = await start();
    const { time: _, listen, ...line } = message(service.command, /^serving$/) ?? {};
    assert.deepEqual(line, {
      level: 'info',
      version: VERSION,
      url: service.url,
      store: `embedded (LMDB), in ${service.dataDir}`,
      next: `curl '${service.url}/new?size=3'`,
      msg: 'serving',
    });
    assert.equal(`http://${String(listen)}`, service.url);
    const answer = await fetch(`${service.url}/new?size=3`);
    assert.match(await answer.text(), new RegExp(`^${service.url}/[0-9a-f]{32}$`));
  });

  test('logs the same as text on a terminal', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
    const args = ['serve', '--addr', '127.0.0.1:0', '--data-dir', dataDir, '--log-format', 'text'];
    const command = new Command(args, { DISC_HOST: 'https://disc.example.com' });
    try {
      await waitFor('the start-up lines', () => command.stdout.includes('next:'));
      const [first = '', ...more] = command.stdout.split('\n');
      assert.match(first, new RegExp(`INFO.*: etcd-discovery ${VERSION} is ready$`));
      const url = /http:\S+/.exec(command.stdout)?.[0] ?? '';
      assert.deepEqual(more, [
        `    listens: ${url}`,
        '    public:  https://disc.example.com',
        `    store:   embedded (LMDB), in ${dataDir}`,
        `    next:    curl '${url}/new?size=3'`,
        '',
      ]);
      await fetch(`${url}/nobody`);
      await waitFor('the request', () =>
        /GET \/n\.\.\.[0-9a-f]{6} 404 TOKEN_NOT_FOUND [\d.]+ ms, 127/.test(command.stdout),
      );
    } finally {
      command.child.kill('SIGKILL');
      await command.ended;
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('warns about a variable that looks like a setting but is not', async () => {
    const service = await start([], { env: { DISC_PROT: ':1' } });
    assert.equal(message(service.command, /DISC_PROT/)?.['level'], 'warn');
  });

  test('warns about an open-file limit below the connection limit', async (t) => {
    if (!existsSync('/proc/self/limits')) return t.skip('this system does not report the limit');
    const limited = async (files: number, flags: readonly string[]): Promise<unknown> => {
      const node = `ulimit -n ${files} && exec "${process.execPath}" "$@"`;
      const service = await start(flags, { shell: node });
      assert.equal((await fetch(`${service.url}/health`)).status, 200);
      return message(service.command, /open-file limit/)?.['msg'];
    };
    assert.match(
      String(await limited(300, [])),
      /^the open-file limit \(300\) is below --max-connections \(20000\), .*ulimit -Hn/,
    );
    assert.equal(await limited(300, ['--max-connections', '200']), undefined);
  });

  test('keeps its tokens when it is killed and restarted', async () => {
    const first = await start();
    const { cluster } = await createDiscoveryClient(first.url).createToken({ size: 3 });
    const token = cluster?.token ?? '';
    await first.end('SIGKILL');
    const second = await first.again();
    started.push(second);
    assert.equal(second.url, first.url);
    assert.equal((await createDiscoveryClient(second.url).getCluster({ token })).cluster?.size, 3);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`exits with code 0 on ${signal}, after telling its waiting nodes to retry`, async () => {
      const service = await start();
      const { cluster } = await createDiscoveryClient(service.url).createToken({ size: 3 });
      const waiting = fetch(`${service.url}/${cluster?.token}?recursive=true&wait=true`);
      const headers = await waiting;
      assert.deepEqual(await service.end(signal), { code: 0, signal: null });
      assert.deepEqual([headers.status, await headers.text()], [200, '']);
      assert.equal(service.command.stderr, '');
      assert.deepEqual(
        service.command
          .log()
          .slice(-1)
          .map((line) => line['msg']),
        ['stopped'],
      );
      assert.ok(service.command.log().some((line) => line['msg'] === 'request' && line['status'] === 200));
    });
  }

  test('cancels calls that exceed --grace, logs that, and still exits with code 0', async () => {
    const service = await start(['--grace', '100ms']);
    const socket = await callUnderWay(service);
    assert.deepEqual(await service.end(), { code: 0, signal: null });
    assert.equal(message(service.command, /were aborted/)?.['level'], 'warn');
    socket.destroy();
  });

  for (const [second, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`exits at once on a second signal: ${second} with code ${code}`, async () => {
      const service = await start(['--grace', '1h']);
      const socket = await callUnderWay(service);
      const ended = service.end('SIGTERM');
      await waitFor('the service to be stopping', () => message(service.command, /^stopping/) !== undefined);
      await service.end(second);
      assert.deepEqual(await ended, { code, signal: null });
      assert.ok(message(service.command, /^second signal/));
      socket.destroy();
    });
  }

  test('keeps running, and ends, when nothing reads its log', async () => {
    const service = await start();
    service.command.child.stdout?.pause();
    // 130 bytes of log each: several times the capacity of the pipe and its reader.
    for (let i = 0; i < 60; i += 1) {
      await Promise.all(
        Array.from({ length: 100 }, async () => (await fetch(`${service.url}/nobody`)).text()),
      );
    }
    assert.equal(await (await fetch(`${service.url}/health`)).text(), 'OK');
    const ended = new Promise((resolve) => service.command.child.once('exit', (...end) => resolve(end)));
    const closed = service.end();
    assert.deepEqual(await ended, [0, null]);
    service.command.child.stdout?.destroy();
    await closed;
  });

  for (const [what, fault] of [
    ['an uncaught error', "throw new Error('planted')"],
    ['an unhandled rejection', "Promise.reject(new Error('planted'))"],
  ] as const) {
    test(`ends after ${what}: logs a fatal line with the stack, and exits with code 1`, async () => {
      const hook = `data:text/javascript,process.on('SIGUSR2',()=>{${encodeURIComponent(fault)}})`;
      const service = await start([], { env: { NODE_OPTIONS: `--import "${hook}"` } });
      assert.deepEqual(await service.end('SIGUSR2'), { code: 1, signal: null });
      const last = service.command.log().at(-1);
      assert.equal(last?.['level'], 'fatal');
      assert.match((last['err'] as { stack: string }).stack, /^Error: planted\n +at /);
    });
  }
});

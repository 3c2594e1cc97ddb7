import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { loadCommands } from '../../src/cli/catalog.ts';
import { run } from '../../src/cli/run.ts';

const COMMANDS = await loadCommands();

suite('DISC_CREDENTIALS', () => {
  let server: Server;
  let url: string;
  const shown: Array<string | undefined> = [];
  before(async () => {
    server = createServer((request, response) => {
      shown.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  const call = async (args: readonly string[], env: Record<string, string>): Promise<string> => {
    let err = '';
    const terminal = {
      env: { DISC_CREDENTIALS: 'ci:secret', ...env },
      out: () => {},
      err: (text: string) => {
        err += text;
      },
      columns: () => undefined,
      ask: undefined,
    };
    const code = await run(args, terminal);
    return `${code} ${err}`;
  };

  /** The arguments that each command needs besides its token. */
  const MORE: Readonly<Record<string, readonly string[]>> = {
    flags: ['--etcd', '3.7', '--name', 'a', '--ip', '10.0.0.1'],
    register: ['--name', 'a', '--peer-url', 'http://10.0.0.1:2380'],
    'join-late': ['--name', 'a', '--peer-url', 'http://10.0.0.1:2380'],
    deregister: ['a'],
    delete: ['--yes'],
  };
  const withToken = COMMANDS.filter(
    ({ name, flags }) =>
      flags.some(({ flag }) => flag === 'server') && !['new', 'health', 'list'].includes(name),
  );

  for (const { name } of withToken) {
    test(`are not sent by ${name} to a service that only a token's URL names`, async () => {
      const args = [name, `${url}/token`, ...(MORE[name] ?? [])];
      for (const env of [{}, { DISC_SERVER: 'https://discovery.example.com' }]) {
        shown.length = 0;
        const result = await call(args, env);
        const { DISC_SERVER: configured = 'http://localhost:8087' } = env as Record<string, string>;
        assert.ok(result.startsWith('2 '), result);
        assert.ok(result.includes(configured) && result.includes(url) && result.includes('--server'), result);
        assert.doesNotMatch(result, /secret/);
        assert.deepEqual(shown, []);
      }
    });
  }

  test('are sent to the configured service, however the token is given', async () => {
    const basic = `Basic ${Buffer.from('ci:secret').toString('base64')}`;
    for (const [args, env] of [
      [['show', 'token', '--server', url], {}],
      [['show', `${url}/token`, '--server', url], {}],
      [['show', 'https://evil.example/token', '--server', url], {}],
      [['show', `${url}/token`], { DISC_SERVER: url }],
      [['show', 'token'], { DISC_SERVER: `${url}/` }],
      [['new'], { DISC_SERVER: url }],
    ] as const) {
      shown.length = 0;
      await call(args, env);
      assert.deepEqual([...new Set(shown)], [basic], args.join(' '));
    }
  });

  test('are not needed to use a URL', async () => {
    shown.length = 0;
    const result = await call(['show', `${url}/token`], { DISC_CREDENTIALS: '' });
    assert.ok(result.startsWith('3 '), result);
    assert.deepEqual([...new Set(shown)], [undefined]);
  });
});

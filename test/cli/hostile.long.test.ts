import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { loadCommands } from '../../src/cli/catalog.ts';
import type { Command } from '../../src/cli/command.ts';
import { run } from '../../src/cli/run.ts';
import { hostileService, type Malice } from './hostile-service.ts';

const COMMANDS = await loadCommands();

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
const MARK = join(directory, 'ran');

/** Characters beyond ASCII that clear the screen, set the window title, reverse text, or end a line. */
const STEERING = '\x1b[2J\x1b]0;owned\x07\r\b\x7f\x85\x9b31m\u202e\u2066\u2028\u2029\u200b\nnext: FORGED\n';
const COMMAND = `$(touch ${MARK})\`touch ${MARK}\`;touch ${MARK};#`;
/** Ends a quotation, if the output forgets to escape it. */
const QUOTED = `'${COMMAND}'`;
const textOf = (command: string): string => `infra1${STEERING}${command}`;
const TEXT = textOf(COMMAND);

/** Characters that must not be printed: all that act on a terminal, except our own line feeds. */
const UNFIT = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u;

const ofServices = COMMANDS.filter(({ flags }) => flags.some(({ flag }) => flag === 'server'));

/** Values for required flags, which get the first one that they accept. */
const VALUES = ['infra1', '10.0.0.1', 'http://10.0.0.1:2380', '3', '2s', '/tmp/x'];

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

suite('a hostile service', () => {
  let server: Server;
  let url: string;
  let malice: Malice;
  before(async () => {
    server = hostileService(() => malice);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Returns the required arguments of a command, from its help. */
  const argsOf = async ({ name, flags }: Command): Promise<string[]> => {
    const usage =
      /Usage: etcd-discovery \S+(.*) \[flags\]/.exec((await called([name, '--help'])).out)?.[1] ?? '';
    const words = usage.split(' ').filter((word) => word !== '');
    const needed = flags.flatMap((flag) => {
      if (flag.value === undefined || flag.required !== true) return [];
      const value = flag.words?.[0] ?? VALUES.find((each) => flag.parse(each) !== undefined);
      return [`--${flag.flag}`, value ?? assert.fail(`no value for --${flag.flag}`)];
    });
    // One of these two flags is required.
    const ip = name === 'flags' ? ['--ip', '10.0.0.1'] : [];
    // Commands that ask for confirmation cannot do so here.
    const yes = flags.some(({ flag }) => flag === 'yes') ? ['--yes'] : [];
    const timeout = flags.some(({ flag }) => flag === 'timeout') ? ['--timeout', '1s'] : [];
    const args = words.map((word) => (word === 'TOKEN' ? 'my-cluster' : 'infra1'));
    return [name, ...args, ...needed, ...ip, ...yes, ...timeout, '--server', url];
  };

  const called = async (args: readonly string[]): Promise<Ran> => {
    let [out, err] = ['', ''];
    const code = await run(args, {
      env: {},
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      columns: () => undefined,
      ask: undefined,
    });
    return { code, out, err };
  };

  /** Complete, assembling and other clusters; texts in place of URLs, and valid URLs; responses and errors. */
  const cases = function* (): Generator<Malice> {
    const own = `http://10.0.0.7:2380/${QUOTED}`;
    for (const state of [1, 2, 3, 4]) yield { text: TEXT, url: state % 2 === 0 ? TEXT : own, state };
    yield { text: textOf(QUOTED), url: own, state: 2 };
    yield { text: COMMAND, url: own, state: 2 };
    yield { text: 'infra1', url: TEXT, state: 1 };
    for (const refusal of ['TOKEN_EXPIRED', 'MEMBER_EXISTS', 'INTERNAL'] as const) {
      yield { text: TEXT, url: TEXT, state: 2, refusal };
    }
  };

  test('is called by every command that calls a service', () => {
    assert.ok(ofServices.length >= 11, ofServices.map(({ name }) => name).join());
  });

  for (const command of ofServices) {
    test(`cannot control the terminal of ${command.name}, forge a line, or inject into pasted commands`, async () => {
      const args = await argsOf(command);
      let forged = 0;
      const tried = new Set<string>();
      for (const each of cases()) {
        malice = each;
        const text = await called(args);
        const all = text.out + text.err;
        assert.doesNotMatch(all, UNFIT, JSON.stringify(all));
        assert.doesNotMatch(all, /^(next: )?FORGED/m, all);
        assert.doesNotMatch(all, /^ {4}at /m, 'no defect');
        if (all.includes('FORGED')) forged += 1;
        for (const [line] of all.matchAll(/(?:etcd-discovery |etcdctl |--discovery).*$/gm)) {
          if (tried.has(line)) continue;
          tried.add(line);
          // How a shell splits the line. A line that is not a command fails and runs nothing.
          try {
            execFileSync('sh', ['-c', `set -- ${line}`], { stdio: 'pipe' });
          } catch {}
          assert.ok(!existsSync(MARK), line);
        }
        const json = await called([...args, '--output', 'json']);
        assert.doesNotMatch(json.out + json.err, UNFIT);
        for (const line of (json.out + json.err).split('\n').filter((rest) => rest !== '')) JSON.parse(line);
        assert.equal(json.code, text.code);
      }
      if (command.name !== 'health') assert.ok(forged > 0, 'the command received something');
    });
  }

  test('has no way around through arguments, because all output is checked in one place', async () => {
    for (const args of [[STEERING], ['show', STEERING, STEERING], ['show', '--server', STEERING]]) {
      const { out, err } = await called(args);
      assert.doesNotMatch(out + err, UNFIT);
    }
  });

  test('is quoted unchanged in output for programs', async () => {
    malice = { text: TEXT, url: TEXT, state: 1 };
    const { out } = await called(['list-members', 'my-cluster', '--server', url, '--output', 'json']);
    assert.equal((JSON.parse(out) as { members: [{ name: string }] }).members[0].name, TEXT);
  });
});

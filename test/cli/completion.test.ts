import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { loadCommands } from '../../src/cli/catalog.ts';
import { run } from '../support/child.ts';
import { noPty, Pty } from '../support/pty.ts';
import { waitFor } from '../support/wait.ts';

const COMMANDS = await loadCommands();

// Completions, tested in the real shells.

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const scriptOf = (shell: string): string => join(directory, `completion.${shell}`);
before(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await run(['completion', shell]);
    assert.equal(code, 0);
    writeFileSync(scriptOf(shell), stdout);
  }
  writeFileSync(join(directory, 'two words.pem'), '');
});

function missing(shell: string): string | false {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0 ? false : `no ${shell} on PATH`;
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[A-Za-z]`, 'g');

const execute = promisify(execFile);
const NAMES = COMMANDS.map(({ name }) => name);

type Complete = (...words: string[]) => Promise<string[]>;

/** Cases for the two shells that can list their completions. */
function cases(complete: Complete): void {
  test('the commands', async () => {
    const all = await complete('');
    for (const name of NAMES) assert.ok(all.includes(name), name);
    assert.deepEqual(await complete('li'), ['list', 'list-members']);
  });

  test('the flags of every command', async () => {
    for (const { name, flags } of COMMANDS) {
      const offered = await complete(name, '--');
      for (const { flag } of flags) assert.ok(offered.includes(`--${flag}`), `${name} --${flag}`);
      assert.ok(offered.includes('--help'), name);
    }
    assert.deepEqual(await complete('flags', 'TOKEN', '--form'), ['--format']);
  });

  test('values from a fixed set', async () => {
    const formats = ['compose', 'env', 'flags', 'kubernetes', 'systemd', 'yaml'];
    assert.deepEqual((await complete('flags', 'TOKEN', '--format', '')).sort(), formats);
    assert.deepEqual(await complete('flags', 'TOKEN', '-f', 'k'), ['kubernetes']);
    assert.deepEqual(await complete('serve', '--log-format', 't'), ['text']);
    assert.deepEqual((await complete('completion', '')).sort(), ['bash', 'fish', 'zsh']);
  });

  test('files, also with spaces in their names, and nothing where the values are unknown', async () => {
    assert.deepEqual(await complete('show', 'TOKEN', '--cacert', 'two'), ['two words.pem']);
    assert.deepEqual(await complete('new', '--size', ''), []);
  });
}

suite('bash', { skip: missing('bash') }, () => {
  const complete: Complete = async (...words) => {
    const script = `. "$0"; COMP_WORDS=(etcd-discovery "$@"); COMP_CWORD=$#
      _etcd_discovery; for word in "\${COMPREPLY[@]}"; do echo "$word"; done`;
    const args = ['--norc', '-c', script, scriptOf('bash'), ...words];
    const { stdout } = await execute('bash', args, { cwd: directory });
    return stdout.split('\n').slice(0, -1);
  };
  cases(complete);

  test('a value after an equals sign, which is a separate word', async () => {
    assert.deepEqual(await complete('flags', '--format', '=', 'y'), ['yaml']);
    assert.deepEqual(await complete('serve', '--custom-tokens', '='), ['on', 'off']);
  });
});

suite('fish', { skip: missing('fish') }, () => {
  cases(async (...words) => {
    const script = `source ${scriptOf('fish')}; complete -C "etcd-discovery ${words.join(' ')}"`;
    const env = { ...process.env, HOME: directory };
    const { stdout } = await execute('fish', ['--no-config', '-c', script], { cwd: directory, env });
    const found = stdout.split('\n').slice(0, -1);
    return found.map((line) => line.replace(/\t.*/, '').replaceAll('\\ ', ' '));
  });
});

suite('zsh', { skip: missing('zsh') || noPty }, () => {
  for (const [typed, shown] of [
    ['list-', 'list-members'],
    ['flags TOKEN --for', '--format'],
    ['flags TOKEN --format k', 'kubernetes'],
    ['flags TOKEN -f sy', 'systemd'],
    ['completion z', 'zsh'],
    ['serve --log-fo', '--log-format'],
    ['show TOKEN --cacert tw', 'two\\ words.pem'],
  ] as const) {
    test(`${typed} completes to ${shown}`, async () => {
      const shell = new Pty('zsh -f -i', { HOME: directory });
      try {
        await waitFor('the prompt', () => shell.output.includes('[?2004h'));
        shell.type(
          `cd ${directory}; autoload -U compinit; compinit -u -D; source ${scriptOf('zsh')}; echo be''gun\n`,
        );
        await waitFor('the script to be loaded', () => /^begun/m.test(shell.output));
        const before = shell.output.length;
        shell.type(`etcd-discovery ${typed}\t`);
        const wanted = `etcd-discovery ${typed.replace(/\S*$/, '')}${shown}`.replaceAll(' ', '');
        await waitFor(wanted, () => bare(shell.output.slice(before)).includes(wanted));
      } finally {
        shell.child.kill('SIGKILL');
        await shell.ended;
      }
    });
  }
});

/** Removes spaces and escapes, because shells redraw lines differently. */
function bare(text: string): string {
  return text.replaceAll(ESCAPES, '').replaceAll(/\s/g, '');
}

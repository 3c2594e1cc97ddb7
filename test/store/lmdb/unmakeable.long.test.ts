import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { cleanEnv, run } from '../../support/child.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.cjs', import.meta.url));
/** Longer than any of the commands takes. */
const LIMIT_MS = 30_000;

/** A user to whom the permissions of a directory apply: they do not apply to root. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

/** Reports whether every user can reach a file and read it. */
function isOpenToAll(path: string): boolean {
  const needed = statSync(path).isDirectory() ? 0o1 : 0o4;
  return (statSync(path).mode & needed) !== 0 && (path === dirname(path) || isOpenToAll(dirname(path)));
}

suite('a directory that cannot be created is reported in one line, without endless retries', () => {
  const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const backup = join(home, 'backup.mdb');
  const tokens = join(home, 'tokens.jsonl');
  before(async () => {
    chmodSync(home, 0o755);
    const source = join(home, 'source');
    await (await openLmdbStore({ path: source, policy: DEFAULT_POLICY })).close();
    for (const args of [
      ['backup', backup],
      ['export', tokens],
    ]) {
      const { code, stderr } = await run([...args, '--data-dir', source]);
      assert.equal(code, 0, stderr);
    }
    for (const file of [backup, tokens]) chmodSync(file, 0o644);
    writeFileSync(join(home, 'file'), '');
    mkdirSync(join(home, 'read-only'), { mode: 0o555 });
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const onLinux: ReadonlyArray<[what: string, path: string]> = [
    ['in /proc', '/proc/x'],
    ['deep in /proc', '/proc/x/y/z'],
    ['in /sys', '/sys/x'],
  ];
  const places: ReadonlyArray<[what: string, path: string, user?: typeof USER]> = [
    ...(existsSync('/proc/self') ? onLinux : []),
    ['below a file', join(home, 'file', 'data')],
    ['below a read-only directory', join(home, 'read-only', 'deep', 'data'), USER],
  ];
  const commands: ReadonlyArray<readonly string[]> = [
    ['serve', '--addr', '127.0.0.1:0'],
    ['export', join(home, 'other.jsonl')],
    ['import', tokens],
    ['restore', backup],
    ['check'],
    ['backup', join(home, 'other.mdb')],
  ];
  for (const [what, path, user] of places) {
    const closed = user && [process.execPath, MAIN].find((file) => !isOpenToAll(file));
    const skip = closed !== undefined && `only root can run ${closed}`;
    if (skip !== false) console.log(`skipped: ${what}: ${skip}`);
    test(what, { skip }, async () => {
      for (const args of path === '/proc/x' ? commands : commands.slice(0, 1)) {
        const child = spawn(process.execPath, [MAIN, ...args, '--data-dir', path], {
          env: cleanEnv(),
          stdio: ['ignore', 'ignore', 'pipe'],
          timeout: LIMIT_MS,
          killSignal: 'SIGKILL',
          ...user,
        });
        let stderr = '';
        child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
        const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
        assert.deepEqual([code, signal], [1, null], `${args[0]}: ${stderr}`);
        assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, args[0]);
        assert.ok(stderr.includes(path) || stderr.includes('other'), stderr);
      }
    });
  }
});

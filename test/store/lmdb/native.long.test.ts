import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nativeProblem } from '../../../src/store/lmdb/native.ts';
import { cleanEnv } from '../../support/child.ts';
import { type RunningService, startService } from '../../support/service.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const LIMIT_MS = 60_000;
/** Packages for one platform, and those that load them: these are copied, the others are linked. */
const NATIVE = ['@lmdb', 'lmdb', 'node-gyp-build-optional-packages'];

suite('without a loadable native module', () => {
  const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  let service: RunningService;
  before(async () => {
    install();
    service = await startService();
  });
  after(async () => {
    rmSync(home, { recursive: true, force: true });
    await service.stop();
  });

  const root = join(home, 'program');
  const natives = join(root, 'node_modules', '@lmdb');

  /** Installs the program with packages of its own. */
  function install(): void {
    const packages = join(root, 'node_modules');
    mkdirSync(packages, { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(root, 'package.json'));
    for (const part of ['src', 'gen'])
      cpSync(join(ROOT, 'dist', part), join(root, 'dist', part), { recursive: true });
    for (const each of readdirSync(join(ROOT, 'node_modules'))) {
      const from = join(ROOT, 'node_modules', each);
      if (NATIVE.includes(each)) cpSync(from, join(packages, each), { recursive: true });
      else symlinkSync(from, join(packages, each));
    }
  }

  async function runHere(
    args: readonly string[],
  ): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(root, 'dist/src/main.cjs'), ...args], {
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    const text = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...text };
  }

  const serve = (): ReturnType<typeof runHere> =>
    runHere(['serve', '--addr', '127.0.0.1:0', '--data-dir', join(root, 'data')]);

  test('the service reports a missing module in one line, and the client commands work', async () => {
    rmSync(natives, { recursive: true });
    const { code, out, err } = await serve();
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /^etcd-discovery: the native module [^\n]+ is not installed for [^\n]+optional[^\n]+\n$/,
    );
    const check = await runHere(['check', '--data-dir', root]);
    assert.equal(check.code, 1);
    assert.match(check.err, /^etcd-discovery: [^\n]+\n$/);

    const made = await runHere(['new', '--size', '3', '--server', service.url]);
    assert.equal(made.code, 0, made.err);
    const shown = await runHere(['show', /[0-9a-f]{32}/.exec(made.out)?.[0] ?? '', '--server', service.url]);
    assert.equal(shown.code, 0, shown.err);
  });

  test('the service reports a module of another system, or a broken one, in one line', async () => {
    cpSync(join(ROOT, 'node_modules/@lmdb'), natives, { recursive: true });
    for (const name of readdirSync(natives, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.node')) writeFileSync(join(natives, name), 'for some other system');
    const { code, out, err } = await serve();
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^etcd-discovery: cannot load the native module [^\n]+--etcd[^\n]+\n$/);
  });
});

test('a glibc that is too old is reported with the required version', () => {
  const line =
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /x/node.napi.node)";
  assert.match(nativeProblem(new Error(line)), /requires glibc 2\.34 or newer.*container image.*--etcd/);
});

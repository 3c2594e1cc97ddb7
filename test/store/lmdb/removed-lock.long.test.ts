import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, test } from 'node:test';
import { run } from '../../support/child.ts';
import { lmdbPlace } from '../support/place.ts';
import { StoreProcess } from '../support/process.ts';
import { readWhole } from '../support/verify.ts';

const IN_USE = /^STORE_UNAVAILABLE: another process is using the data directory/;

const cleanUp: Array<() => void | Promise<void>> = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

function newPlace(): string {
  const place = lmdbPlace();
  cleanUp.push(() => place.destroy());
  return place.path;
}

function start(...args: ConstructorParameters<typeof StoreProcess>): StoreProcess {
  const started = new StoreProcess(...args);
  cleanUp.push(() => started.kill());
  return started;
}

const isLinux = process.platform === 'linux';
const skip = isLinux ? false : 'the kernel lock is used on Linux only';

/** Returns an environment whose PATH has no flock(1). */
function withoutFlock(): NodeJS.ProcessEnv {
  const empty = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  cleanUp.push(() => rmSync(empty, { recursive: true }));
  return { ...process.env, PATH: [empty, ''].join(delimiter) };
}

async function expectRefused(second: StoreProcess): Promise<void> {
  const { code } = await second.ended;
  assert.match(second.stderr, IN_USE);
  assert.equal(code, 1);
}

for (const [what, removed] of [
  ['its socket', /\.sock$/],
  ["LMDB's lock file", /^lock\.mdb$/],
  ['its socket and the lock file', /\.sock$|^lock\.mdb$/],
  ['every file', /./],
] as const) {
  test(`with ${what} removed, the owner keeps the directory, and another process is rejected`, {
    skip,
  }, async () => {
    const path = newPlace();
    const owner = await start([path, 'hold']).opened();
    for (const name of readdirSync(path)) if (removed.test(name)) rmSync(join(path, name));
    await expectRefused(start([path, 'hold']));
    // A killed owner does not block the next one.
    await owner.kill();
    await start([path, 'hold']).opened();
  });
}

test('a process in other mount, network and PID namespaces, as in a container, is rejected too', {
  skip,
}, async (t) => {
  const unshare = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child'];
  if (spawnSync('unshare', [...unshare.slice(1), 'true']).status !== 0) {
    const why = 'namespaces cannot be created here (needs unshare and root)';
    console.log(`skipped: ${why}`);
    t.skip(why);
    return;
  }
  const path = newPlace();
  await start([path, 'hold']).opened();
  for (const name of readdirSync(path)) if (name.endsWith('.sock')) rmSync(join(path, name));
  await expectRefused(start([path, 'hold'], { command: unshare }));
});

test('the same data file in another directory has one owner', { skip }, async () => {
  const [path, other] = [newPlace(), newPlace()];
  const owner = await start([path, 'hold']).opened();
  mkdirSync(other, { recursive: true });
  linkSync(join(path, 'data.mdb'), join(other, 'data.mdb'));
  await expectRefused(start([other, 'hold']));
  await owner.kill();
  await start([other, 'hold']).opened();
});

test('without flock(1) an abstract socket is the lock', { skip }, async () => {
  const path = newPlace();
  const around = { options: { env: withoutFlock() } };
  const owner = await start([path, 'hold'], around).opened();
  for (const name of readdirSync(path)) if (name.endsWith('.sock')) rmSync(join(path, name));
  await expectRefused(start([path, 'hold'], around));
  await owner.kill();
  await start([path, 'hold'], around).opened();
});

test('a backup beside an owner whose lock file was removed is rejected, because pages may change under it', {
  skip,
}, async () => {
  const path = newPlace();
  const owner = await start([path, 'hold']).opened();
  const backup = (): ReturnType<typeof run> =>
    run(['backup', `${path}-${Math.random()}.mdb`, '--data-dir', path]);
  assert.equal((await backup()).code, 0);
  rmSync(join(path, 'lock.mdb'));
  for (let i = 0; i < 2; i++) {
    const { code, stderr } = await backup();
    assert.equal(code, 1);
    assert.match(stderr, /restart that process first\n$/);
  }
  await owner.kill();
  await readWhole(path);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run } from '../../support/child.ts';
import { create, token } from '../support/commands.ts';
import { readWhole } from '../support/verify.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.cjs', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const skip =
  spawnSync('strace', ['-f', '-qq', '-e', 'trace=none', 'true']).status === 0
    ? false
    : 'strace is not installed, or not permitted';

async function add(path: string, count: number): Promise<void> {
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const discovery = new Discovery(store, DEFAULT_POLICY);
  for (let i = 0; i < count; i++) await discovery.createToken(create(token()));
  await store.close();
}

test('a restore killed at any step leaves the old data or the new data complete, and can be repeated', {
  skip,
}, async () => {
  const [data, file] = [join(home, 'data'), join(home, 'backup.mdb')];
  await add(data, 3);
  assert.equal((await run(['backup', file, '--data-dir', data])).code, 0);
  await add(data, 2);
  const steps = [
    ['link', 1],
    ['rename', 1],
    ['rename', 2],
  ] as const;
  const found = [];
  for (const [call, when] of steps) {
    const traced = `-f -qq -o /dev/null -e trace=${call} -e inject=${call}:error=EINTR:signal=SIGKILL:when=${when}`;
    const restore = [MAIN, 'restore', file, '--data-dir', data, '--replace', '--keep-assembling'];
    const { signal } = spawnSync('strace', [...traced.split(' '), process.execPath, ...restore]);
    const { clusters } = await readWhole(data);
    found.push(`${call} ${when}: ${signal} ${clusters.size}`);
  }
  // The second rename does not happen: the restore completed.
  assert.deepEqual(found, ['link 1: SIGKILL 5', 'rename 1: SIGKILL 5', 'rename 2: null 3']);
  assert.deepEqual(
    readdirSync(data).filter((name) => name.startsWith('restore-')),
    [],
  );
});

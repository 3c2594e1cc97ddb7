import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { Deadlines } from '../../src/etcdv2/deadlines.ts';
import { waitFor } from '../support/wait.ts';

suite('deadlines', () => {
  test('expire in the order in which they were added', async () => {
    const deadlines = new Deadlines(20);
    const expired: number[] = [];
    for (let i = 0; i < 1000; i++) deadlines.add(() => expired.push(i));
    assert.equal(deadlines.size, 1000);
    await waitFor('all of them', () => expired.length === 1000);
    assert.deepEqual(
      expired,
      Array.from({ length: 1000 }, (_, i) => i),
    );
    assert.equal(deadlines.size, 0);
  });

  test('do not expire when removed, and later ones still do', async () => {
    const deadlines = new Deadlines(20);
    const expired: string[] = [];
    const removed = deadlines.add(() => expired.push('removed'));
    deadlines.remove(removed);
    deadlines.remove(removed);
    assert.equal(deadlines.size, 0);
    deadlines.add(() => {
      expired.push('first');
      deadlines.add(() => expired.push('added by the first'));
    });
    deadlines.add(() => expired.push('second'));
    await waitFor('the last', () => expired.length === 3);
    assert.deepEqual(expired, ['first', 'second', 'added by the first']);
  });

  test('share one timer', (t) => {
    const { mock } = t.mock.method(globalThis, 'setTimeout');
    const deadlines = new Deadlines(10_000);
    for (let i = 0; i < 100; i++) deadlines.remove(deadlines.add(() => {}));
    for (let i = 0; i < 100; i++) deadlines.add(() => {});
    assert.equal(mock.callCount(), 1);
  });

  test('do not keep the process alive', () => {
    const module = new URL('../../src/etcdv2/deadlines.js', import.meta.url);
    const script = `import { Deadlines } from '${module.href}'; new Deadlines(1e6).add(() => {});`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(status, 0, stderr);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Deadlines } from '../../src/etcdv2/deadlines.ts';
import { waitFor } from '../support/wait.ts';

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

suite('deadlines', () => {
  test('expire in the order of their coming', async () => {
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

  test('that are removed do not expire, and those that come later do', async () => {
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

  test('share one timer, which ends with them', async () => {
    const before = timers();
    const deadlines = new Deadlines(10_000);
    for (let i = 0; i < 100; i++) deadlines.add(() => {});
    assert.ok(timers() <= before + 1, 'one timer');

    const short = new Deadlines(5);
    short.remove(short.add(() => {}));
    // The timers of an ended process are not worth waiting for: they hold nothing open.
    await waitFor('its timer to run out', () => short.size === 0);
  });
});

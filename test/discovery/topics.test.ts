import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bell, Topics } from '../../src/discovery/topics.ts';
import { token } from '../store/support/commands.ts';
import { trackTimers } from '../store/support/timers.ts';

test('watchers of a failed store share one timer, across tokens, and all are rung', async (t) => {
  const timers = trackTimers(1000);
  t.after(() => timers.stop());
  const topics = new Topics();
  const [one, other] = [token(), token()];
  const bells = [one, one, one, other].map((each) => {
    const bell = new Bell();
    topics.add(each, bell);
    return { each, bell };
  });
  for (const { each } of bells) topics.ringLater(each);
  assert.equal(timers.left(), 1);
  // The timer does not keep the process alive, and nothing else does here.
  const alive = setInterval(() => {}, 60_000);
  t.after(() => clearInterval(alive));
  await Promise.all(bells.map(({ bell }) => bell.wait()));
});

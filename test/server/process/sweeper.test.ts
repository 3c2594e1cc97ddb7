import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { SteadyClock } from '../../../src/server/steady-clock.ts';
import { startSweeper } from '../../../src/server/sweeper.ts';
import type { Log } from '../../../src/server/telemetry/log.ts';
import { waitFor } from '../../support/wait.ts';

test('a failed sweep is logged once per outage, once per damage, and each time for a bug', async (t) => {
  const away = (): never => {
    throw new DiscoveryError('STORE_UNAVAILABLE', 'etcd is down');
  };
  const bug = (): never => {
    throw new TypeError('a bug');
  };
  const damage = (): never => {
    throw new DiscoveryError('INTERNAL', 'damage');
  };
  const sweeps = [away, away, away, () => 0, away, bug, bug, away, damage, () => 1, damage];
  const lines: string[] = [];
  const log = {
    warn: (line: string) => lines.push(line),
    error: ({ err }: { err: Error }) => lines.push(err.message),
    info: () => {},
  } as unknown as Log;
  const discovery = { sweep: async () => sweeps.shift()?.() ?? 0 } as unknown as Discovery;
  let swept = 0;
  const stop = startSweeper(discovery, 1, { log, metrics: { swept: () => void (swept += 1) } });
  t.after(stop);
  await waitFor('the sweeps', () => swept >= 12);
  const text = 'could not remove tokens whose retention is over; retrying later: etcd is down';
  assert.deepEqual(lines, [text, text, 'a bug', 'a bug', 'damage']);
});

test('after a jump of the clock sweeping pauses, which is logged once, and then resumes', async (t) => {
  const steady = [true, false, false, false, true, true];
  const done: string[] = [];
  const log = { warn: (line: string) => done.push(line) } as unknown as Log;
  const discovery = { sweep: async () => (done.push('sweep'), 0) } as unknown as Discovery;
  const clock = { isSteady: () => steady.shift() ?? true };
  const stop = startSweeper(discovery, 1, { log, metrics: { swept: () => {} }, clock });
  t.after(stop);
  await waitFor('the sweeps', () => steady.length === 0);
  await stop();
  const [first, warning, ...others] = done;
  assert.equal(first, 'sweep');
  assert.match(warning ?? '', /the clock .* jumped/);
  assert.ok(others.length >= 1 && others.every((each) => each === 'sweep'), done.join());
});

test('a clock that jumps is distrusted until it is back or has stayed for an hour; a drifting one is trusted', () => {
  const MINUTE = 60_000;
  const time = { wall: 1_000_000_000_000, count: 5 };
  const clock = new SteadyClock(
    () => time.wall,
    () => time.count,
  );
  const passes = (ms: number, jump = 0): boolean => {
    time.count += ms;
    time.wall += ms + jump;
    return clock.isSteady();
  };
  assert.ok(passes(MINUTE));
  const month = 30 * 24 * 60 * MINUTE;
  assert.equal(passes(MINUTE, month), false, 'ahead');
  assert.equal(passes(4000), false);
  assert.ok(passes(MINUTE, -month), 'back again');
  assert.equal(passes(MINUTE, -60 * MINUTE), false, 'behind');
  for (let i = 0; i < 59; i++) assert.equal(passes(MINUTE), false);
  assert.ok(passes(MINUTE), 'it was set');
  for (let i = 0; i < 100; i++) assert.ok(passes(MINUTE, 0.9 * MINUTE), 'it drifts');
  assert.equal(passes(MINUTE, month), false);
});

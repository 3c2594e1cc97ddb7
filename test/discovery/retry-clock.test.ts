import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Millis } from '../../src/discovery/types.ts';
import { expectRefusal } from '../store/laws/subject.ts';
import { at, create, HOUR, node, size, token } from '../store/support/commands.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';

const SECOND = 1000;

/** Returns a service with its own clocks. `put` moves the wall clock. */
function service(disk = emptyDisk()) {
  let wall = at(Date.UTC(2026, 0, 1));
  let steady = 0;
  const now = (): Millis => wall;
  const discovery = new Discovery(openMemoryStore(disk, DEFAULT_POLICY), DEFAULT_POLICY, now, () => steady);
  return {
    discovery,
    pass: (ms: number): void => {
      wall = at(wall + ms);
      steady += ms;
    },
    put: (ms: number): void => {
      wall = at(wall + ms);
    },
  };
}

test('a clock set back by exactly the elapsed time does not turn an old registration into a retry', async () => {
  const { discovery, pass, put } = service();
  const t = token();
  await discovery.createToken(create(t, size(1)));
  await discovery.register(t, node(1));
  pass(20 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED', 'it is a retry within 30 s');
  pass(HOUR - 20 * SECOND);
  put(-HOUR);
  await expectRefusal('REJOIN_REFUSED', discovery.register(t, node(1)));

  const later = token();
  await discovery.createToken(create(later, size(1)));
  await discovery.register(later, node(2));
  pass(20 * SECOND);
  assert.equal((await discovery.register(later, node(2))).outcome, 'UNCHANGED', 'a real retry succeeds');
  pass(20 * SECOND);
  await expectRefusal('REJOIN_REFUSED', discovery.register(later, node(2)));
});

test('a retry succeeds after a clock that was ahead is corrected', async () => {
  const { discovery, pass, put } = service();
  put(HOUR);
  const t = token();
  await discovery.createToken(create(t, size(1)));
  put(-HOUR);
  await discovery.register(t, node(1));
  pass(5 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED');
  // Once the clock has caught up, it applies to registrations again.
  pass(HOUR);
  await expectRefusal('REJOIN_REFUSED', discovery.register(t, node(1)));
});

test('after a restart, only the wall clock tells the age of a registration', async () => {
  const disk = emptyDisk();
  const before = service(disk);
  const t = token();
  await before.discovery.createToken(create(t, size(1)));
  await before.discovery.register(t, node(1));
  const { discovery, pass } = service(disk);
  pass(10 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED');
  pass(30 * SECOND);
  await expectRefusal('REJOIN_REFUSED', discovery.register(t, node(1)));
});

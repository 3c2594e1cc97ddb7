import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Millis } from '../../src/discovery/types.ts';
import { refusal } from '../store/laws/subject.ts';
import { at, create, HOUR, node, size, token } from '../store/support/commands.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';

const SECOND = 1000;

/** A service with clocks of its own. `put`: sets the wall clock by so much. */
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

test('a clock that is put back by just the time that has passed makes no retry of an old registration', async () => {
  const { discovery, pass, put } = service();
  const t = token();
  await discovery.createToken(create(t, size(1)));
  await discovery.register(t, node(1));
  pass(20 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED', 'within 30 s it is one');
  pass(HOUR - 20 * SECOND);
  put(-HOUR);
  await refusal('REJOIN_REFUSED', discovery.register(t, node(1)));

  const later = token();
  await discovery.createToken(create(later, size(1)));
  await discovery.register(later, node(2));
  pass(20 * SECOND);
  assert.equal(
    (await discovery.register(later, node(2))).outcome,
    'UNCHANGED',
    'nor does it refuse a real one',
  );
  pass(20 * SECOND);
  await refusal('REJOIN_REFUSED', discovery.register(later, node(2)));
});

test('a clock that was ahead and is right again lets a retry be one', async () => {
  const { discovery, pass, put } = service();
  put(HOUR);
  const t = token();
  await discovery.createToken(create(t, size(1)));
  put(-HOUR);
  await discovery.register(t, node(1));
  pass(5 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED');
  // Once it has caught up, others' registrations are known by it again.
  pass(HOUR);
  await refusal('REJOIN_REFUSED', discovery.register(t, node(1)));
});

test('after a restart what was registered is known by the wall clock alone', async () => {
  const disk = emptyDisk();
  const before = service(disk);
  const t = token();
  await before.discovery.createToken(create(t, size(1)));
  await before.discovery.register(t, node(1));
  const { discovery, pass } = service(disk);
  pass(10 * SECOND);
  assert.equal((await discovery.register(t, node(1))).outcome, 'UNCHANGED');
  pass(30 * SECOND);
  await refusal('REJOIN_REFUSED', discovery.register(t, node(1)));
});

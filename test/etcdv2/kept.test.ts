import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUT, Kept, type KeptRegistration, type SharedRoom } from '../../src/etcdv2/kept.ts';
import { V2_LIMITS } from '../../src/limits.ts';

function entry(revision: number, bytes: number): KeptRegistration {
  return { revision: BigInt(revision), member: {} as never, body: 'x'.repeat(bytes) };
}

const revisions = (kept: Kept, after = 0n) => kept.since(after).map((each) => Number(each.revision));

test('a feed keeps the latest registrations in bounded bytes, and reports where they start', () => {
  const shared = { bytes: 0 };
  const kept = new Kept(1n, shared);
  const half = V2_LIMITS.feedBytes / 2;
  kept.add(entry(2, half - 1000));
  kept.add({ revision: 3n, body: CUT });
  assert.deepEqual([revisions(kept), kept.after], [[2, 3], 1n]);
  kept.add(entry(4, half));
  assert.deepEqual([revisions(kept), kept.after], [[2, 3, 4], 1n]);
  assert.ok(kept.isFullWith(entry(5, half)));
  kept.add(entry(5, half));
  assert.deepEqual([revisions(kept), kept.after], [[5], 4n]);
  assert.ok(shared.bytes <= V2_LIMITS.feedBytes);
  kept.add(entry(6, 10));
  assert.deepEqual(revisions(kept, 5n), [6]);
});

test('all feeds together keep bounded bytes, each its latest, and release them', () => {
  const shared: SharedRoom = { bytes: 0 };
  const feeds = Array.from({ length: 1000 }, () => new Kept(0n, shared));
  for (let i = 1; i <= 20; i++) for (const kept of feeds) kept.add(entry(i, 5000));
  assert.ok(shared.bytes <= V2_LIMITS.allFeedsBytes, `${shared.bytes}`);
  for (const kept of feeds) assert.equal(revisions(kept).at(-1), 20);
  for (const kept of feeds) {
    kept.leave();
    kept.add(entry(21, 5000));
  }
  assert.equal(shared.bytes, 0);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { placeBytes, registrationBytes } from '../../src/discovery/bytes.ts';
import { apply, type Change } from '../../src/discovery/change.ts';
import { isComplete } from '../../src/discovery/cluster.ts';
import { decideDelete, decideDeregister, decideRegister, decideReopen } from '../../src/discovery/decide.ts';
import { decideCreate } from '../../src/discovery/decide-create.ts';
import { DiscoveryError } from '../../src/discovery/errors.ts';
import { type Cluster, type PeerUrl, revision } from '../../src/discovery/types.ts';
import { mostChanges } from '../../src/discovery/wear.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import {
  at,
  create,
  HOUR,
  memberId,
  named,
  node,
  size,
  token,
  ttl,
  urls,
} from '../store/support/commands.ts';
import { Random, seedOfRun } from '../store/support/random.ts';

const NOW = at(1e12);
/** What the registration of `node(1)` takes: its id, name and URL, and the last two once more. */
const bytesOfJoin = 100 + 'id1infra1infra1'.length + 2 * 'http://10.0.0.1:2380'.length;

/** Peer URLs that nearly fill the place of a member of such a cluster, and that no other number has. */
function urlsOf(members: number, number: number): PeerUrl[] {
  const room = Math.min(16 * 600, placeBytes(size(members).size) - 30 - 16 * 9);
  const count = Math.max(1, Math.floor(room / 600));
  const length = Math.floor(room / count / 2);
  return urls(
    ...Array.from({ length: count }, (_, i) => `http://${`n${number}-${i}`.padEnd(length - 13, 'x')}:2380`),
  );
}

/** A token with this many changes left. */
function worn(members: number, left: number): Cluster {
  const change = decideCreate(undefined, create(token(), size(members)), NOW) as Change;
  const { cluster } = apply(undefined, change, revision(1));
  return { ...cluster, changeCount: mostChanges(cluster.size) - left };
}

type Step = (cluster: Cluster) => Change | undefined;

const join =
  (i: number, more: Parameters<typeof node>[1] = {}): Step =>
  (cluster) =>
    decideRegister(cluster, node(i, more), NOW);
const leave =
  (i: number): Step =>
  (cluster) =>
    decideDeregister(cluster, memberId(`id${i}`), undefined, NOW);
const rename = (i: number, name: string): Step => join(i, { mode: 'REPLACE', ...named(name) });
const reopen: Step = (cluster) => decideReopen(cluster, ttl(HOUR).ttl, NOW);

function after(cluster: Cluster, ...steps: readonly Step[]): Cluster {
  return steps.reduce((each, step) => {
    const change = step(each);
    return change === undefined ? each : apply(each, change, revision(each.modRevision + 1n)).cluster;
  }, cluster);
}

function refusal(cluster: Cluster, step: Step): DiscoveryError {
  try {
    step(cluster);
  } catch (error) {
    if (error instanceof DiscoveryError) return error;
    throw error;
  }
  return assert.fail('a refusal was expected');
}

function assertWornOut(cluster: Cluster, step: Step): void {
  assert.equal(refusal(cluster, step).reason, 'TOKEN_WORN_OUT');
}

describe('the changes of a token', () => {
  test('are more where a large cluster needs them', () => {
    assert.equal(mostChanges(size(3).size), 4096);
    assert.ok(mostChanges(size(10_000).size) >= 10_000);
  });

  test('that are left are kept for the free places', () => {
    const cluster = after(worn(3, 5), join(1), rename(1, 'x'));
    assert.equal(mostChanges(cluster.size) - cluster.changeCount, 3);
    assertWornOut(cluster, leave(1));
    const last = after(cluster, rename(1, 'y'));
    assertWornOut(last, rename(1, 'z'));
    assertWornOut(last, reopen);
    const complete = after(last, join(2), join(3));
    assert.ok(isComplete(complete));
    assert.equal(complete.changeCount, mostChanges(complete.size));
  });

  test('are not used up by what changes nothing', () => {
    const cluster = after(worn(2, 2), join(1));
    assert.deepEqual(after(cluster, join(1), join(1)), cluster);
  });

  test('are over for standbys and a new lifetime, and a deletion is still taken', () => {
    const complete = after(worn(1, 2), join(1), join(2, { whenFull: 'STANDBY' }));
    assertWornOut(complete, join(3, { whenFull: 'STANDBY' }));
    assertWornOut(complete, reopen);
    assert.equal(decideDelete(complete, NOW)?.type, 'TOKEN_DELETED');
  });

  test('are refused with what to do: another token, or the cluster that runs', () => {
    assert.match(refusal(after(worn(2, 2), join(1)), leave(1)).message, /; create a new token$/);
    assert.match(refusal(after(worn(1, 1), join(1)), reopen).message, /etcdctl member add/);
  });

  test('suffice to complete, whatever came before', () => {
    const random = new Random(seedOfRun());
    for (let story = 0; story < 500; story++) {
      const members = random.between(1, 4);
      let cluster = worn(members, random.between(members, members + 6));
      for (let i = 0; i < 30; i++) {
        const who = random.between(1, 4);
        const step = random.pick([join(who), leave(who), rename(who, `n${i}`), reopen]);
        try {
          cluster = after(cluster, step);
        } catch (error) {
          if (!(error instanceof DiscoveryError)) throw error;
        }
      }
      for (let i = 5; !isComplete(cluster); i++) cluster = after(cluster, join(i));
      assert.ok(cluster.changeCount <= mostChanges(cluster.size));
    }
  });

  test('of data from before they were counted suffice too', () => {
    const cluster = { ...worn(3, 0), changeCount: 5000 };
    assert.ok(isComplete(after(cluster, join(1), join(2), join(3))));
    assertWornOut(after(cluster, join(1)), leave(1));
  });

  describe('in bytes', () => {
    const most = CLUSTER_LIMITS.changeBytesPerToken;
    /** A token with this many bytes of changes left, of ranked members' places. */
    const wornBytes = (members: number, left: number): Cluster => ({
      ...worn(members, mostChanges(size(members).size)),
      changeCount: 0,
      changeBytes: most - left,
    });
    const place = registrationBytes(size(3).size);

    test('are kept for the free places, as many as the largest members take', () => {
      const joined = after(wornBytes(3, 3 * place), join(1));
      assert.equal(joined.changeBytes, most - 3 * place + bytesOfJoin);
      const cluster = after({ ...joined, changeBytes: most - 2 * place - 2 * bytesOfJoin }, rename(1, 'x'));
      assertWornOut(cluster, rename(1, 'y'));
      assertWornOut(cluster, leave(1));
      assert.ok(isComplete(after(cluster, join(2), join(3))));
      const largest = wornBytes(1000, 1000 * registrationBytes(size(1000).size));
      assertWornOut(after(largest, join(1)), leave(1));
      let complete = largest;
      for (let i = 0; i < 1000; i++) complete = after(complete, join(i, { peerUrls: urlsOf(1000, i) }));
      assert.ok(isComplete(complete) && complete.changeBytes <= most);
    });

    test('suffice to complete, whatever came before, with members as large as may be', () => {
      const random = new Random(seedOfRun());
      for (let story = 0; story < 100; story++) {
        const members = random.between(1, 20);
        const room = registrationBytes(size(members).size);
        let cluster = wornBytes(members, members * room + random.between(0, 5 * room));
        for (let i = 0; i < 30; i++) {
          const who = random.between(1, 4);
          const large = { peerUrls: urlsOf(members, who * 100 + i) };
          const step = random.pick([join(who, large), leave(who), rename(who, `n${i}`), reopen]);
          try {
            cluster = after(cluster, step);
          } catch (error) {
            if (!(error instanceof DiscoveryError)) throw error;
          }
        }
        for (let i = 5; !isComplete(cluster); i++)
          cluster = after(cluster, join(i, { peerUrls: urlsOf(members, i) }));
        assert.ok(cluster.changeBytes <= most, `${cluster.changeBytes}`);
      }
    });
  });
});

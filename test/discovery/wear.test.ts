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
/** Bytes of the registration of `node(1)`: its id, and its name and URL twice each. */
const bytesOfJoin = 100 + 'id1infra1infra1'.length + 2 * 'http://10.0.0.1:2380'.length;

/** Returns peer URLs that nearly fill the place of a member in a cluster of this size, and are unique to the number. */
function urlsOf(members: number, number: number): PeerUrl[] {
  const room = Math.min(16 * 600, placeBytes(size(members).size) - 30 - 16 * 9);
  const count = Math.max(1, Math.floor(room / 600));
  const length = Math.floor(room / count / 2);
  return urls(
    ...Array.from({ length: count }, (_, i) => `http://${`n${number}-${i}`.padEnd(length - 13, 'x')}:2380`),
  );
}

/** Returns the cluster of a token with this many changes left. */
function wornCluster(members: number, left: number): Cluster {
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

function applyAll(cluster: Cluster, ...steps: readonly Step[]): Cluster {
  return steps.reduce((each, step) => {
    const change = step(each);
    return change === undefined ? each : apply(each, change, revision(each.modRevision + 1n)).cluster;
  }, cluster);
}

function expectRefusal(cluster: Cluster, step: Step): DiscoveryError {
  try {
    step(cluster);
  } catch (error) {
    if (error instanceof DiscoveryError) return error;
    throw error;
  }
  return assert.fail('expected an error');
}

function assertWornOut(cluster: Cluster, step: Step): void {
  assert.equal(expectRefusal(cluster, step).reason, 'TOKEN_WORN_OUT');
}

describe('the changes of a token', () => {
  test('grow with the size of the cluster', () => {
    assert.equal(mostChanges(size(3).size), 4096);
    assert.ok(mostChanges(size(10_000).size) >= 10_000);
  });

  test('are reserved for the free places at the end', () => {
    const cluster = applyAll(wornCluster(3, 5), join(1), rename(1, 'x'));
    assert.equal(mostChanges(cluster.size) - cluster.changeCount, 3);
    assertWornOut(cluster, leave(1));
    const last = applyAll(cluster, rename(1, 'y'));
    assertWornOut(last, rename(1, 'z'));
    assertWornOut(last, reopen);
    const complete = applyAll(last, join(2), join(3));
    assert.ok(isComplete(complete));
    assert.equal(complete.changeCount, mostChanges(complete.size));
  });

  test('are not used up by requests that change nothing', () => {
    const cluster = applyAll(wornCluster(2, 2), join(1));
    assert.deepEqual(applyAll(cluster, join(1), join(1)), cluster);
  });

  test('run out for standbys and reopening, but never for a deletion', () => {
    const complete = applyAll(wornCluster(1, 2), join(1), join(2, { whenFull: 'STANDBY' }));
    assertWornOut(complete, join(3, { whenFull: 'STANDBY' }));
    assertWornOut(complete, reopen);
    assert.equal(decideDelete(complete, NOW)?.type, 'TOKEN_DELETED');
  });

  test('run out with an error that suggests a new token or the running cluster', () => {
    assert.match(
      expectRefusal(applyAll(wornCluster(2, 2), join(1)), leave(1)).message,
      /; create a new token$/,
    );
    assert.match(expectRefusal(applyAll(wornCluster(1, 1), join(1)), reopen).message, /etcdctl member add/);
  });

  test('suffice to complete the cluster after any history', () => {
    const random = new Random(seedOfRun());
    for (let story = 0; story < 500; story++) {
      const members = random.between(1, 4);
      let cluster = wornCluster(members, random.between(members, members + 6));
      for (let i = 0; i < 30; i++) {
        const who = random.between(1, 4);
        const step = random.pick([join(who), leave(who), rename(who, `n${i}`), reopen]);
        try {
          cluster = applyAll(cluster, step);
        } catch (error) {
          if (!(error instanceof DiscoveryError)) throw error;
        }
      }
      for (let i = 5; !isComplete(cluster); i++) cluster = applyAll(cluster, join(i));
      assert.ok(cluster.changeCount <= mostChanges(cluster.size));
    }
  });

  test('also suffice for data from before changes were counted', () => {
    const cluster = { ...wornCluster(3, 0), changeCount: 5000 };
    assert.ok(isComplete(applyAll(cluster, join(1), join(2), join(3))));
    assertWornOut(applyAll(cluster, join(1)), leave(1));
  });

  describe('in bytes', () => {
    const most = CLUSTER_LIMITS.changeBytesPerToken;
    /** Returns the cluster of a token with this many bytes of changes left. */
    const wornBytes = (members: number, left: number): Cluster => ({
      ...wornCluster(members, mostChanges(size(members).size)),
      changeCount: 0,
      changeBytes: most - left,
    });
    const place = registrationBytes(size(3).size);

    test('are reserved for the largest members in the free places', () => {
      const joined = applyAll(wornBytes(3, 3 * place), join(1));
      assert.equal(joined.changeBytes, most - 3 * place + bytesOfJoin);
      const cluster = applyAll(
        { ...joined, changeBytes: most - 2 * place - 2 * bytesOfJoin },
        rename(1, 'x'),
      );
      assertWornOut(cluster, rename(1, 'y'));
      assertWornOut(cluster, leave(1));
      assert.ok(isComplete(applyAll(cluster, join(2), join(3))));
      const largest = wornBytes(1000, 1000 * registrationBytes(size(1000).size));
      assertWornOut(applyAll(largest, join(1)), leave(1));
      let complete = largest;
      for (let i = 0; i < 1000; i++) complete = applyAll(complete, join(i, { peerUrls: urlsOf(1000, i) }));
      assert.ok(isComplete(complete) && complete.changeBytes <= most);
    });

    test('suffice to complete the cluster with the largest members after any history', () => {
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
            cluster = applyAll(cluster, step);
          } catch (error) {
            if (!(error instanceof DiscoveryError)) throw error;
          }
        }
        for (let i = 5; !isComplete(cluster); i++)
          cluster = applyAll(cluster, join(i, { peerUrls: urlsOf(members, i) }));
        assert.ok(cluster.changeBytes <= most, `${cluster.changeBytes}`);
      }
    });
  });
});

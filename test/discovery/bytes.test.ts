import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventBytes, firstEvents, memberBytes, placeBytes } from '../../src/discovery/bytes.ts';
import { apply, type Change, type Event } from '../../src/discovery/change.ts';
import { isComplete } from '../../src/discovery/cluster.ts';
import { decideRegister, type RegisterCommand } from '../../src/discovery/decide.ts';
import { decideCreate } from '../../src/discovery/decide-create.ts';
import { DiscoveryError, type Reason } from '../../src/discovery/errors.ts';
import { type Cluster, type Member, revision } from '../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import { at, create, discoveryText, named, node, size, token, urls } from '../store/support/commands.ts';

const NOW = at(1e12);
/** Close to the largest member that the smallest clusters accept. */
const URLS = Array.from({ length: 16 }, (_, i) =>
  `http://${'h'.repeat(280)}${i + 10}.example:2380`.slice(-300),
);
const largestMember = (i: number): Partial<RegisterCommand> => ({
  ...named(`n${i}`.padEnd(253, 'x')),
  peerUrls: urls(...URLS.map((url) => `http://${i + 1000}-${url.slice(-280)}`)),
});

function createCluster(members: number): Cluster {
  const change = decideCreate(undefined, create(token(), size(members)), NOW) as Change;
  return apply(undefined, change, revision(1)).cluster;
}

function register(cluster: Cluster, command: RegisterCommand): Cluster {
  const change = decideRegister(cluster, command, NOW);
  return change === undefined ? cluster : apply(cluster, change, revision(cluster.modRevision + 1n)).cluster;
}

function reasonOf(call: () => unknown): Reason | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof DiscoveryError) return error.reason;
    throw error;
  }
  return undefined;
}

describe('the bytes of a member', () => {
  test('reach the maximum of a member in clusters of some tens', () => {
    let cluster = createCluster(17);
    for (let i = 0; i < 17; i++) cluster = register(cluster, node(i, largestMember(i)));
    assert.ok(isComplete(cluster));
  });

  test('members are bounded by their place, so that early ones leave room for later ones', () => {
    for (const members of [100, 1000]) {
      const cluster = createCluster(members);
      assert.equal(
        reasonOf(() => register(cluster, node(1, largestMember(1)))),
        'INVALID_ARGUMENT',
      );
      const place = placeBytes(cluster.size);
      assert.ok(place * members <= CLUSTER_LIMITS.membersBytes + members * 262);
      const first = register(cluster, node(1));
      assert.equal(
        reasonOf(() => register(first, node(1, { ...largestMember(1), mode: 'REPLACE' }))),
        'INVALID_ARGUMENT',
      );
    }
    const typical = node(999, {
      ...named('etcd-999'),
      peerUrls: urls('https://etcd-999.etcd.default.svc.cluster.local:2380'),
      ...discoveryText('https://discovery.example.com/0123456789abcdef0123456789abcdef'),
    });
    assert.equal(
      reasonOf(() => register(createCluster(1000), typical)),
      undefined,
      'a typical member fits into a cluster of a thousand',
    );
  });

  test('are bounded for all standbys together', () => {
    let cluster = register(createCluster(1), node(0));
    const standby = (i: number) => node(i, { ...largestMember(i), whenFull: 'STANDBY' });
    let reason: Reason | undefined;
    for (let i = 1; reason === undefined; i++) {
      reason = reasonOf(() => {
        cluster = register(cluster, standby(i));
      });
    }
    assert.equal(reason, 'TOO_MANY_STANDBYS');
    const bytes = cluster.members.slice(1).reduce((sum, each) => sum + memberBytes(each), 0);
    assert.ok(bytes <= CLUSTER_LIMITS.standbysBytes && cluster.members.length > 3);
    const small = register(cluster, node(99, { whenFull: 'STANDBY' }));
    const grow = () => register(small, node(99, { ...largestMember(99), mode: 'REPLACE' }));
    assert.equal(reasonOf(grow), 'TOO_MANY_STANDBYS');
  });

  test('count escaped characters as the page renders them', () => {
    const bytes = memberBytes(node(1, named('a&b')));
    assert.equal(bytes - memberBytes(node(1, named('aab'))), 2 * 5);
    assert.equal(memberBytes(node(1, named('ä'))) - memberBytes(node(1, named('a'))), 2);
  });
});

test('events are read in pages bounded in bytes, with at least one event', () => {
  const [member] = register(createCluster(1), node(1, largestMember(1))).members;
  const event = { type: 'REGISTERED', member } as Event;
  const events = Array.from({ length: 100 }, () => event);
  const part = firstEvents(events, 100);
  assert.ok(part.length > 0 && part.length * eventBytes(event) <= CLUSTER_LIMITS.eventBytesPerRead);
  assert.equal(firstEvents(events, 1).length, 1);
  const removed = Array.from({ length: 50 }, () => member as Member);
  const huge = { ...event, type: 'TOKEN_DELETED', removed } as Event;
  assert.deepEqual(firstEvents([huge, event], 10), [huge]);
  assert.deepEqual(firstEvents([event, huge], 10), [event]);
});

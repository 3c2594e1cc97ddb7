import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apply, type Change, type Event } from '../../src/discovery/change.ts';
import { initialCluster, isStandby, ranked, standbys, stateOf } from '../../src/discovery/cluster.ts';
import { decideDelete, decideDeregister, decideRegister } from '../../src/discovery/decide.ts';
import { decideCreate } from '../../src/discovery/decide-create.ts';
import { DiscoveryError, type Reason } from '../../src/discovery/errors.ts';
import type { Cluster } from '../../src/discovery/types.ts';
import { type Description, type Millis, revision, type Ttl } from '../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import {
  at,
  create,
  discoveryText,
  HOUR,
  memberId,
  named,
  node,
  size,
  token,
  ttl,
  urls,
} from '../store/support/commands.ts';

const T = token('t');
const START = at(1_800_000_000_000);
const later = (ms: number): Millis => at(START + ms);

/** A cluster to which changes are applied, each at a new revision, as a store does. */
class Case {
  cluster: Cluster | undefined;
  #revision = 0n;

  constructor(more: Parameters<typeof create>[1] = {}) {
    this.take(decideCreate(undefined, create(T, more), START));
  }

  take(change: Change | undefined): Event | undefined {
    assert.ok(change !== undefined, 'the decision changes nothing');
    this.#revision += 1n;
    const { cluster, event } = apply(this.cluster, change, revision(this.#revision));
    this.cluster = cluster;
    return event;
  }

  register(number: number, more: Parameters<typeof node>[1] = {}, now = START): Event | undefined {
    return this.take(this.decide(number, more, now));
  }

  decide(number: number, more: Parameters<typeof node>[1] = {}, now = START): Change | undefined {
    return decideRegister(this.cluster, node(number, more), now);
  }

  deregister(number: number): Event | undefined {
    return this.take(decideDeregister(this.cluster, memberId(`id${number}`), undefined, START));
  }

  get record(): Cluster {
    assert.ok(this.cluster);
    return this.cluster;
  }
}

function expectRefused(reason: Reason, decide: () => unknown): DiscoveryError {
  try {
    decide();
  } catch (error) {
    assert.ok(error instanceof DiscoveryError, String(error));
    assert.equal(error.reason, reason, error.message);
    return error;
  }
  return assert.fail(`expected an error with reason ${reason}`);
}

describe('a retry', () => {
  test('succeeds at any time while the cluster assembles', () => {
    const one = new Case(size(2));
    one.register(1);
    for (const ms of [0, CLUSTER_LIMITS.retryWindow, CLUSTER_LIMITS.retryWindow + 1, HOUR - 1]) {
      assert.equal(one.decide(1, {}, later(ms)), undefined);
    }
  });

  test('of a complete cluster succeeds within a window after its registration, and is a rejoin later', () => {
    const one = new Case(size(2));
    one.register(1);
    one.register(2, {}, later(20_000));
    assert.equal(one.decide(1, {}, later(CLUSTER_LIMITS.retryWindow)), undefined);
    const error = expectRefused('REJOIN_REFUSED', () =>
      one.decide(1, {}, later(CLUSTER_LIMITS.retryWindow + 1)),
    );
    expectRefused('REJOIN_REFUSED', () => one.decide(1, {}, later(-HOUR)));
    assert.match(error.message, /start it with its existing data, or replace it with etcdctl member remove/);
    assert.equal(error.facts.member?.id, 'id1');
    assert.equal(one.decide(2, {}, later(CLUSTER_LIMITS.retryWindow + 1)), undefined, 'it registered later');
    expectRefused('REJOIN_REFUSED', () => one.decide(2, {}, later(20_001 + CLUSTER_LIMITS.retryWindow)));
  });

  test('is never a rejoin if the token allows rejoining, but must be the same member', () => {
    const allowed = new Case({ ...size(1), allowRejoin: true });
    allowed.register(1);
    assert.equal(allowed.decide(1, {}, later(HOUR - 1)), undefined);
    expectRefused('MEMBER_EXISTS', () => allowed.decide(1, { peerUrls: urls('http://other:1') }));
    expectRefused('CLUSTER_FORMED', () =>
      allowed.decide(1, { mode: 'REPLACE', peerUrls: urls('http://other:1') }),
    );
  });

  test('has the same name and the same URLs in the same order', () => {
    const one = new Case();
    const both = urls('http://a:1', 'http://b:1');
    one.register(1, { peerUrls: both });
    assert.equal(one.decide(1, { peerUrls: both }), undefined);
    expectRefused('MEMBER_EXISTS', () => one.decide(1, { peerUrls: both.toReversed() }));
    expectRefused('MEMBER_EXISTS', () => one.decide(1, { peerUrls: both.slice(0, 1) }));
    expectRefused('MEMBER_EXISTS', () => one.decide(1, { ...named('other'), peerUrls: urls('http://c:1') }));
  });

  test('of a replacement changes nothing at any time', () => {
    const one = new Case(size(1));
    one.register(1);
    for (const mode of ['REPLACE', 'CREATE_OR_REPLACE'] as const) {
      assert.equal(one.decide(1, { mode }, later(HOUR - 1)), undefined);
    }
  });

  test('by another node at the same address in another spelling is rejected with the URL', () => {
    const one = new Case();
    one.register(1, { peerUrls: urls('http://[2001:db8::a]:2380') });
    for (const url of ['HTTP://[2001:DB8::A]:2380', 'http://[2001:db8:0:0:0:0:0:000a]:2380']) {
      expectRefused('PEER_URL_TAKEN', () => one.decide(2, { peerUrls: urls(url) }));
    }
    for (const url of [
      'http://[2001:db8::a]:2381',
      'https://[2001:db8::a]:2380',
      'http://[2001:db8::b]:2380',
    ]) {
      assert.equal(one.decide(2, { peerUrls: urls(url) })?.type, 'REGISTERED');
    }
  });

  test('by another node at the same address is rejected with the member that has it', () => {
    const one = new Case();
    one.register(1);
    const error = expectRefused('PEER_URL_TAKEN', () => one.decide(1, named('second')));
    assert.match(
      error.message,
      /^the peer URL \S+ is taken by the member 'infra1'; .*--initial-advertise-peer-urls/,
    );
  });
});

describe('creating', () => {
  test('again with the same settings is a retry; any difference is reported', () => {
    const { record } = new Case({ ...ttl(HOUR), description: 'one' as Description, allowRejoin: false });
    const again = (more: Parameters<typeof create>[1]) => decideCreate(record, create(T, more), later(10));
    assert.equal(again({}), undefined);
    assert.equal(
      again({ ...ttl(5 * HOUR) }),
      undefined,
      'a lifetime that the request does not set is not compared',
    );
    assert.equal(again({ askedTtl: HOUR as Ttl, description: 'one' as Description }), undefined);
    for (const [more, words] of [
      [size(4), / size 3, which cannot change; .* size 4$/],
      [{ askedTtl: (HOUR + 1) as Ttl }, /lifetime;/],
      [{ description: '' as Description, allowRejoin: true }, /description and allow_rejoin setting;/],
      [{ locks: {} }, /guard;/],
    ] as const) {
      assert.match(expectRefused('TOKEN_EXISTS', () => again(more)).message, words);
    }
  });

  test('a token that ended is rejected with the time until which it is taken', () => {
    const one = new Case(ttl(HOUR));
    const again = () => decideCreate(one.record, create(T), later(2 * HOUR), 3 * HOUR);
    const at = (ms: number): string => new Date(later(ms)).toISOString().slice(0, 16).replace('T', ' ');
    assert.ok(
      expectRefused('TOKEN_EXPIRED', again).message.includes(
        `expired at ${at(HOUR)} UTC and cannot be used again until ${at(4 * HOUR)} UTC`,
      ),
    );
    one.take(decideDelete(one.record, later(0)));
    assert.ok(
      expectRefused('TOKEN_DELETED', again).message.includes(
        `deleted at ${at(0)} UTC and cannot be used again until ${at(3 * HOUR)} UTC`,
      ),
    );
  });

  test('changes of a token that ended are rejected with the time since its end', () => {
    const one = new Case(ttl(HOUR));
    for (const [ms, words] of [
      [59_000, '59 s ago'],
      [60_000, '1 min ago'],
      [2 * HOUR, '2 h ago'],
      [72 * HOUR, '3 days ago'],
    ] as const) {
      const error = expectRefused('TOKEN_EXPIRED', () => decideDelete(one.record, later(HOUR + ms)));
      assert.equal(
        error.message,
        `the token expired ${words} with 0 of 3 nodes registered; reopen it with etcd-discovery reopen, or create a new one`,
      );
    }
    one.take(decideDelete(one.record, later(5)));
    expectRefused('TOKEN_DELETED', () => decideCreate(one.record, create(T), later(6)));
    expectRefused('TOKEN_DELETED', () => one.decide(1));
  });
});

describe('an expected revision', () => {
  test('must be the revision of the member', () => {
    const one = new Case();
    one.register(1);
    const { modRevision } = one.record.members[0] ?? assert.fail();
    const change = { mode: 'REPLACE', ...named('x') } as const;
    expectRefused('REVISION_MISMATCH', () =>
      one.decide(1, { ...change, expected: revision(modRevision - 1n) }),
    );
    one.register(1, { ...change, expected: modRevision });
    assert.equal(one.decide(1, { ...change, expected: modRevision }), undefined, 'the response was lost');
    const other = { ...change, ...named('another'), expected: modRevision };
    const error = expectRefused('REVISION_MISMATCH', () => one.decide(1, other));
    assert.equal(error.facts.member?.name, 'x');
    expectRefused('REVISION_MISMATCH', () =>
      decideDeregister(one.record, memberId('id1'), modRevision, START),
    );
    const { modRevision: now } = one.record.members[0] ?? assert.fail();
    assert.equal(decideDeregister(one.record, memberId('id1'), now, START).type, 'DEREGISTERED');
  });

  test('requires an existing member', () => {
    const one = new Case();
    for (const mode of ['CREATE', 'REPLACE', 'CREATE_OR_REPLACE'] as const) {
      expectRefused('MEMBER_NOT_FOUND', () => one.decide(1, { mode, expected: revision(1) }));
    }
    expectRefused('MEMBER_NOT_FOUND', () => one.decide(1, { mode: 'REPLACE' }));
  });
});

describe('standbys', () => {
  test('never become members, because the members of a complete cluster are final', () => {
    const one = new Case(size(2));
    for (const n of [1, 2, 3, 4]) one.register(n, { whenFull: 'STANDBY' });
    const ids = (members: ReturnType<typeof ranked>): string[] => members.map((member) => member.id);
    assert.deepEqual(
      [ids(ranked(one.record)), ids(standbys(one.record))],
      [
        ['id1', 'id2'],
        ['id3', 'id4'],
      ],
    );
    for (const mode of ['REPLACE', 'CREATE_OR_REPLACE'] as const) {
      const error = expectRefused('CLUSTER_FORMED', () => one.decide(2, { mode, ...named('new') }));
      assert.equal(error.facts.member?.id, 'id2');
      assert.match(error.message, /is complete, .* member remove .* member add/);
    }
    expectRefused('CLUSTER_FORMED', () => one.deregister(1));
    const event = one.deregister(3);
    assert.deepEqual([event?.complete, event?.memberCount, event?.standbyCount], [true, 2, 1]);
    one.register(4, { mode: 'REPLACE', ...named('new') });
    assert.deepEqual([ids(ranked(one.record)), ids(standbys(one.record))], [['id1', 'id2'], ['id4']]);
    one.register(3, { whenFull: 'STANDBY' });
    assert.equal(isStandby(one.record, memberId('id3')), true, 'it registers again at the end');
    assert.equal(initialCluster(one.record), 'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380');
    assert.equal(one.record.cutRevision, undefined, 'removing a standby is not a cut');
  });

  test('are accepted up to their limit', () => {
    const one = new Case(size(1));
    for (let n = 0; n <= CLUSTER_LIMITS.standbys; n++) one.register(n, { whenFull: 'STANDBY' });
    const error = expectRefused('TOO_MANY_STANDBYS', () => one.decide(500, { whenFull: 'STANDBY' }));
    assert.match(error.message, /has 100 standbys, .*; add this node to the running cluster/);
    assert.equal(one.decide(1, { whenFull: 'STANDBY' }), undefined, 'a retry needs no room');
    one.deregister(1);
    assert.equal(one.decide(500, { whenFull: 'STANDBY' })?.type, 'REGISTERED');
  });

  test('that rejoin get different instructions than members', () => {
    const one = new Case(size(1));
    one.register(1);
    one.register(2, { whenFull: 'STANDBY' });
    const back = later(CLUSTER_LIMITS.retryWindow + 1);
    const { message } = expectRefused('REJOIN_REFUSED', () => one.decide(2, { whenFull: 'STANDBY' }, back));
    assert.match(message, /registered after .* complete; add this node .* member add/);
  });

  test('reserve their names and URLs as members do', () => {
    const one = new Case(size(1));
    one.register(1);
    one.register(2, { whenFull: 'STANDBY' });
    expectRefused('NAME_TAKEN', () => one.decide(3, { ...named('infra2'), whenFull: 'STANDBY' }));
    expectRefused('PEER_URL_TAKEN', () =>
      one.decide(3, { peerUrls: urls('http://10.0.0.2:2380'), whenFull: 'STANDBY' }),
    );
    expectRefused('CLUSTER_FULL', () => one.decide(3));
  });
});

describe('replacing', () => {
  test('keeps the time and the rank, and cannot take the name or URL of another member', () => {
    const one = new Case();
    one.register(1);
    one.register(2, {}, later(5));
    const [, before] = one.record.members;
    const event = one.register(2, { mode: 'CREATE_OR_REPLACE', peerUrls: urls('http://new:1') }, later(9));
    assert.deepEqual(event?.previous, before);
    assert.deepEqual(one.record.members[1], {
      ...before,
      peerUrls: ['http://new:1'],
      modRevision: 4n,
      version: 2,
    });
    expectRefused('NAME_TAKEN', () => one.decide(2, { mode: 'REPLACE', ...named('infra1') }));
    expectRefused('PEER_URL_TAKEN', () =>
      one.decide(2, { mode: 'REPLACE', peerUrls: urls('HTTP://10.0.0.1:2380') }),
    );
  });
});

test('a formed cluster stays formed after every later change', () => {
  const one = new Case();
  one.register(1);
  one.cluster = { ...one.record, formed: true };
  one.take({ type: 'TOKEN_REOPENED', time: START, expireTime: later(HOUR) });
  assert.equal(one.record.formed, true);
  expectRefused('CLUSTER_FORMED', () => one.decide(2));
});

describe('the discovery text', () => {
  const text = discoveryText('http://disc:8087/t');
  const other = discoveryText('http://disc:8087/t/');

  test('must be the same for all members for which it is known', () => {
    const one = new Case();
    one.register(1);
    one.register(2, text);
    const error = expectRefused('DISCOVERY_TEXT_DIFFERS', () => one.decide(3, other));
    assert.equal(error.facts.member?.id, 'id2');
    for (const part of ["--discovery 'http://disc:8087/t/'", "--discovery 'http://disc:8087/t'", 'infra2']) {
      assert.ok(error.message.includes(part), error.message);
    }
    one.register(4, text);
    assert.equal(one.record.members.at(-1)?.discoveryText, text.discoveryText);
  });

  test('of a single member can change with a replacement, and is lost with one that has none', () => {
    const one = new Case();
    one.register(1, text);
    one.take(one.decide(1, { mode: 'REPLACE', ...other, peerUrls: urls('http://new:1') }));
    expectRefused('DISCOVERY_TEXT_DIFFERS', () => one.decide(2, text));
    one.take(one.decide(1, { mode: 'REPLACE' }));
    one.register(2, text);
  });

  test('is compared before name and URL, which a node with another text may have registered itself', () => {
    const one = new Case();
    one.register(1, other);
    expectRefused('DISCOVERY_TEXT_DIFFERS', () => one.decide(2, { ...text, ...named('infra1') }));
  });
});

describe('a large cluster', () => {
  const large = (): Case => {
    const one = new Case(size(100));
    for (let n = 1; n <= 50; n++) one.register(n);
    return one;
  };

  test('rejects conflicts as a small one does, and names the conflicting member of the lowest rank', () => {
    const one = large();
    assert.equal(one.decide(7), undefined, 'a retry');
    expectRefused('MEMBER_EXISTS', () =>
      one.decide(7, { ...named('other'), peerUrls: urls('http://other:1') }),
    );
    const replace = { mode: 'REPLACE' } as const;
    for (const [reason, more, inTheWay] of [
      ['NAME_TAKEN', named('infra33'), 'id33'],
      ['PEER_URL_TAKEN', { peerUrls: urls('http://new:1', 'HTTP://10.0.0.44:2380') }, 'id44'],
      ['NAME_TAKEN', { ...named('infra9'), peerUrls: urls('http://10.0.0.12:2380') }, 'id9'],
      ['PEER_URL_TAKEN', { ...named('infra12'), peerUrls: urls('http://10.0.0.9:2380') }, 'id9'],
      ['NAME_TAKEN', { ...named('infra9'), peerUrls: urls('http://10.0.0.9:2380') }, 'id9'],
    ] as const) {
      for (const error of [
        expectRefused(reason, () => one.decide(60, more)),
        expectRefused(reason, () => one.decide(50, { ...replace, ...more })),
      ]) {
        assert.equal(error.facts.member?.id, inTheWay);
      }
    }
    expectRefused('MEMBER_NOT_FOUND', () => one.decide(60, replace));
  });

  test('accepts names and URLs that members gave up', () => {
    const one = large();
    one.deregister(20);
    one.register(21, { mode: 'REPLACE', ...named('new'), peerUrls: urls('http://new:1') });
    for (const more of [named('infra20'), named('infra21'), { peerUrls: urls('http://10.0.0.21:2380') }]) {
      assert.equal(one.decide(60, more)?.type, 'REGISTERED');
    }
    assert.equal(one.register(20)?.memberCount, 50);
    expectRefused('NAME_TAKEN', () => one.decide(60, named('infra20')));
    expectRefused('PEER_URL_TAKEN', () => one.decide(60, { peerUrls: urls('http://new:1') }));
  });

  test('ignores a change that was decided but not committed', () => {
    const one = large();
    const before = one.record;
    one.register(60, { ...named('lost'), peerUrls: urls('http://lost:1') });
    const after = one.record;
    for (const more of [named('lost'), { peerUrls: urls('http://lost:1') }]) {
      assert.equal(decideRegister(before, node(61, more), START)?.type, 'REGISTERED');
      assert.throws(() => decideRegister(after, node(61, more), START), DiscoveryError);
    }
    assert.equal(decideRegister(before, node(60), START)?.type, 'REGISTERED');
  });
});

describe('the state', () => {
  test('goes from assembling to complete, then to expired or deleted; deleted is final', () => {
    const one = new Case({ ...size(1), ...ttl(HOUR) });
    assert.equal(stateOf(one.record, START), 'ASSEMBLING');
    assert.equal(initialCluster(one.record), '');
    assert.equal(one.register(1)?.complete, true);
    assert.equal(stateOf(one.record, later(HOUR - 1)), 'COMPLETE');
    assert.equal(stateOf(one.record, later(HOUR)), 'EXPIRED');
    const event = one.take(decideDelete(one.record, later(7)));
    assert.equal(event?.type, 'TOKEN_DELETED');
    assert.equal(stateOf(one.record, later(HOUR)), 'DELETED');
  });

  test('of a formed cluster is in the errors after its token ended, which do not suggest a new token', () => {
    const words =
      'after its cluster was complete; add this node to the running cluster with etcdctl member add';
    const one = new Case({ ...size(1), ...ttl(HOUR) });
    one.register(1);
    const expired = expectRefused('TOKEN_EXPIRED', () => one.decide(2, {}, later(2 * HOUR)));
    assert.equal(expired.message, `the token expired 1 h ago, ${words}`);
    one.take(decideDelete(one.record, START));
    const deleted = expectRefused('TOKEN_DELETED', () => one.decide(2, {}, later(5000)));
    assert.equal(deleted.message, `the token was deleted 5 s ago, ${words}`);
  });

  test('includes the latest cut: a removal or replacement before the cluster was complete', () => {
    const one = new Case(size(2));
    one.register(1);
    assert.equal(one.record.cutRevision, undefined);
    assert.equal(one.register(1, { mode: 'REPLACE', ...named('x') })?.revision, one.record.cutRevision);
    assert.equal(one.deregister(1)?.revision, one.record.cutRevision);
    const { cutRevision } = one.record;
    one.register(1);
    one.register(2);
    one.register(3, { whenFull: 'STANDBY' });
    one.deregister(3);
    assert.equal(one.record.cutRevision, cutRevision);
  });

  test('a record is never changed in place', () => {
    const one = new Case();
    const freeze = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      Object.freeze(value);
      for (const each of Object.values(value)) freeze(each);
    };
    freeze(one.record);
    for (const step of [
      () => one.register(1),
      () => one.register(2),
      () => one.register(1, { mode: 'REPLACE', ...named('x') }),
      () => one.deregister(2),
      () => one.take(decideDelete(one.record, START)),
    ]) {
      step();
      freeze(one.record);
    }
  });
});

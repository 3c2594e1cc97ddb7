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

/** A cluster that goes from change to change, a revision each, as a store would take it. */
class Case {
  cluster: Cluster | undefined;
  #revision = 0n;

  constructor(more: Parameters<typeof create>[1] = {}) {
    this.take(decideCreate(undefined, create(T, more), START));
  }

  take(change: Change | undefined): Event | undefined {
    assert.ok(change !== undefined, 'there was nothing to do');
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

  get is(): Cluster {
    assert.ok(this.cluster);
    return this.cluster;
  }
}

function refused(reason: Reason, decide: () => unknown): DiscoveryError {
  try {
    decide();
  } catch (error) {
    assert.ok(error instanceof DiscoveryError, String(error));
    assert.equal(error.reason, reason, error.message);
    return error;
  }
  return assert.fail(`a refusal was expected: ${reason}`);
}

describe('a retry', () => {
  test('succeeds at any time while the cluster assembles', () => {
    const one = new Case(size(2));
    one.register(1);
    for (const ms of [0, CLUSTER_LIMITS.retryWindow, CLUSTER_LIMITS.retryWindow + 1, HOUR - 1]) {
      assert.equal(one.decide(1, {}, later(ms)), undefined);
    }
  });

  test('of a complete cluster succeeds within the window of its own registration, and is then a rejoin', () => {
    const one = new Case(size(2));
    one.register(1);
    one.register(2, {}, later(20_000));
    assert.equal(one.decide(1, {}, later(CLUSTER_LIMITS.retryWindow)), undefined);
    const error = refused('REJOIN_REFUSED', () => one.decide(1, {}, later(CLUSTER_LIMITS.retryWindow + 1)));
    refused('REJOIN_REFUSED', () => one.decide(1, {}, later(-HOUR)));
    assert.match(error.message, /start it with its existing data, or replace it with etcdctl member remove/);
    assert.equal(error.facts.member?.id, 'id1');
    assert.equal(one.decide(2, {}, later(CLUSTER_LIMITS.retryWindow + 1)), undefined, 'it registered later');
    refused('REJOIN_REFUSED', () => one.decide(2, {}, later(20_001 + CLUSTER_LIMITS.retryWindow)));
  });

  test('is no rejoin where the token allows it, and even there it is the same member or refused', () => {
    const allowed = new Case({ ...size(1), allowRejoin: true });
    allowed.register(1);
    assert.equal(allowed.decide(1, {}, later(HOUR - 1)), undefined);
    refused('MEMBER_EXISTS', () => allowed.decide(1, { peerUrls: urls('http://other:1') }));
    refused('CLUSTER_FORMED', () => allowed.decide(1, { mode: 'REPLACE', peerUrls: urls('http://other:1') }));
  });

  test('has the same name and the same URLs in the same order', () => {
    const one = new Case();
    const both = urls('http://a:1', 'http://b:1');
    one.register(1, { peerUrls: both });
    assert.equal(one.decide(1, { peerUrls: both }), undefined);
    refused('MEMBER_EXISTS', () => one.decide(1, { peerUrls: both.toReversed() }));
    refused('MEMBER_EXISTS', () => one.decide(1, { peerUrls: both.slice(0, 1) }));
    refused('MEMBER_EXISTS', () => one.decide(1, { ...named('other'), peerUrls: urls('http://c:1') }));
  });

  test('of a replacement changes nothing, however old', () => {
    const one = new Case(size(1));
    one.register(1);
    for (const mode of ['REPLACE', 'CREATE_OR_REPLACE'] as const) {
      assert.equal(one.decide(1, { mode }, later(HOUR - 1)), undefined);
    }
  });

  test('of another node at the same address, spelt otherwise, is told as what it is', () => {
    const one = new Case();
    one.register(1, { peerUrls: urls('http://[2001:db8::a]:2380') });
    for (const url of ['HTTP://[2001:DB8::A]:2380', 'http://[2001:db8:0:0:0:0:0:000a]:2380']) {
      refused('PEER_URL_TAKEN', () => one.decide(2, { peerUrls: urls(url) }));
    }
    for (const url of [
      'http://[2001:db8::a]:2381',
      'https://[2001:db8::a]:2380',
      'http://[2001:db8::b]:2380',
    ]) {
      assert.equal(one.decide(2, { peerUrls: urls(url) })?.type, 'REGISTERED');
    }
  });

  test('of another node at the same address is told as what it is', () => {
    const one = new Case();
    one.register(1);
    const error = refused('PEER_URL_TAKEN', () => one.decide(1, named('second')));
    assert.match(
      error.message,
      /^the peer URL \S+ is taken by the member 'infra1'; .*other --initial-advertise-peer-urls/,
    );
  });
});

describe('creating', () => {
  test('again with nothing else asked for is a retry; any difference is told', () => {
    const { is } = new Case({ ...ttl(HOUR), description: 'one' as Description, allowRejoin: false });
    const again = (more: Parameters<typeof create>[1]) => decideCreate(is, create(T, more), later(10));
    assert.equal(again({}), undefined);
    assert.equal(again({ ...ttl(5 * HOUR) }), undefined, 'a lifetime that was not asked for does not count');
    assert.equal(again({ askedTtl: HOUR as Ttl, description: 'one' as Description }), undefined);
    for (const [more, words] of [
      [size(4), / size 3, which cannot change; .* size 4$/],
      [{ askedTtl: (HOUR + 1) as Ttl }, /lifetime;/],
      [{ description: '' as Description, allowRejoin: true }, /description and allow_rejoin setting;/],
      [{ locks: {} }, /guard;/],
    ] as const) {
      assert.match(refused('TOKEN_EXISTS', () => again(more)).message, words);
    }
  });

  test('a token that ended stays taken, and the refusal says until when', () => {
    const one = new Case(ttl(HOUR));
    const again = () => decideCreate(one.is, create(T), later(2 * HOUR), 3 * HOUR);
    const at = (ms: number): string => new Date(later(ms)).toISOString().slice(0, 16).replace('T', ' ');
    assert.ok(
      refused('TOKEN_EXPIRED', again).message.includes(
        `expired at ${at(HOUR)} UTC and stays taken until ${at(4 * HOUR)} UTC`,
      ),
    );
    one.take(decideDelete(one.is, later(0)));
    assert.ok(
      refused('TOKEN_DELETED', again).message.includes(
        `deleted at ${at(0)} UTC and stays taken until ${at(3 * HOUR)} UTC`,
      ),
    );
  });

  test('a token that ended is refused, with the time that has passed', () => {
    const one = new Case(ttl(HOUR));
    for (const [ms, words] of [
      [59_000, '59 s ago'],
      [60_000, '1 min ago'],
      [2 * HOUR, '2 h ago'],
      [72 * HOUR, '3 days ago'],
    ] as const) {
      const error = refused('TOKEN_EXPIRED', () => decideDelete(one.is, later(HOUR + ms)));
      assert.equal(
        error.message,
        `the token expired ${words}; 0 of 3 registered; reopen it with etcd-discovery reopen, or create a new one`,
      );
    }
    one.take(decideDelete(one.is, later(5)));
    refused('TOKEN_DELETED', () => decideCreate(one.is, create(T), later(6)));
    refused('TOKEN_DELETED', () => one.decide(1));
  });
});

describe('an expected revision', () => {
  test('must be the one that the member has', () => {
    const one = new Case();
    one.register(1);
    const { modRevision } = one.is.members[0] ?? assert.fail();
    const change = { mode: 'REPLACE', ...named('x') } as const;
    refused('REVISION_MISMATCH', () => one.decide(1, { ...change, expected: revision(modRevision - 1n) }));
    one.register(1, { ...change, expected: modRevision });
    assert.equal(one.decide(1, { ...change, expected: modRevision }), undefined, 'the answer was lost');
    const other = { ...change, ...named('another'), expected: modRevision };
    const error = refused('REVISION_MISMATCH', () => one.decide(1, other));
    assert.equal(error.facts.member?.name, 'x');
    refused('REVISION_MISMATCH', () => decideDeregister(one.is, memberId('id1'), modRevision, START));
    const { modRevision: now } = one.is.members[0] ?? assert.fail();
    assert.equal(decideDeregister(one.is, memberId('id1'), now, START).type, 'DEREGISTERED');
  });

  test('asks for a member that is there', () => {
    const one = new Case();
    for (const mode of ['CREATE', 'REPLACE', 'CREATE_OR_REPLACE'] as const) {
      refused('MEMBER_NOT_FOUND', () => one.decide(1, { mode, expected: revision(1) }));
    }
    refused('MEMBER_NOT_FOUND', () => one.decide(1, { mode: 'REPLACE' }));
  });
});

describe('standbys', () => {
  test('never move up, as the members of a complete cluster are final', () => {
    const one = new Case(size(2));
    for (const n of [1, 2, 3, 4]) one.register(n, { whenFull: 'STANDBY' });
    const ids = (members: ReturnType<typeof ranked>): string[] => members.map((member) => member.id);
    assert.deepEqual(
      [ids(ranked(one.is)), ids(standbys(one.is))],
      [
        ['id1', 'id2'],
        ['id3', 'id4'],
      ],
    );
    for (const mode of ['REPLACE', 'CREATE_OR_REPLACE'] as const) {
      const error = refused('CLUSTER_FORMED', () => one.decide(2, { mode, ...named('new') }));
      assert.equal(error.facts.member?.id, 'id2');
      assert.match(error.message, /has formed, .* member remove .* member add/);
    }
    refused('CLUSTER_FORMED', () => one.deregister(1));
    const event = one.deregister(3);
    assert.deepEqual([event?.complete, event?.memberCount, event?.standbyCount], [true, 2, 1]);
    one.register(4, { mode: 'REPLACE', ...named('new') });
    assert.deepEqual([ids(ranked(one.is)), ids(standbys(one.is))], [['id1', 'id2'], ['id4']]);
    one.register(3, { whenFull: 'STANDBY' });
    assert.equal(isStandby(one.is, memberId('id3')), true, 'it comes back at the end');
    assert.equal(initialCluster(one.is), 'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380');
    assert.equal(one.is.cutRevision, undefined, 'nobody counts standbys');
  });

  test('are kept up to their limit', () => {
    const one = new Case(size(1));
    for (let n = 0; n <= CLUSTER_LIMITS.standbys; n++) one.register(n, { whenFull: 'STANDBY' });
    const error = refused('TOO_MANY_STANDBYS', () => one.decide(500, { whenFull: 'STANDBY' }));
    assert.match(error.message, /has its one member and 100 standbys; add this node to the running cluster/);
    assert.equal(one.decide(1, { whenFull: 'STANDBY' }), undefined, 'a retry needs no room');
    one.deregister(1);
    assert.equal(one.decide(500, { whenFull: 'STANDBY' })?.type, 'REGISTERED');
  });

  test('are told what to do when they come back, which is not what a member is told', () => {
    const one = new Case(size(1));
    one.register(1);
    one.register(2, { whenFull: 'STANDBY' });
    const back = later(CLUSTER_LIMITS.retryWindow + 1);
    const { message } = refused('REJOIN_REFUSED', () => one.decide(2, { whenFull: 'STANDBY' }, back));
    assert.match(message, /has its one member, .*registered later; add this node .* member add/);
  });

  test('hold their names and URLs as members do', () => {
    const one = new Case(size(1));
    one.register(1);
    one.register(2, { whenFull: 'STANDBY' });
    refused('NAME_TAKEN', () => one.decide(3, { ...named('infra2'), whenFull: 'STANDBY' }));
    refused('PEER_URL_TAKEN', () =>
      one.decide(3, { peerUrls: urls('http://10.0.0.2:2380'), whenFull: 'STANDBY' }),
    );
    refused('CLUSTER_FULL', () => one.decide(3));
  });
});

describe('replacing', () => {
  test("keeps the time and the rank, and may not take what is another member's", () => {
    const one = new Case();
    one.register(1);
    one.register(2, {}, later(5));
    const [, before] = one.is.members;
    const event = one.register(2, { mode: 'CREATE_OR_REPLACE', peerUrls: urls('http://new:1') }, later(9));
    assert.deepEqual(event?.previous, before);
    assert.deepEqual(one.is.members[1], {
      ...before,
      peerUrls: ['http://new:1'],
      modRevision: 4n,
      version: 2,
    });
    refused('NAME_TAKEN', () => one.decide(2, { mode: 'REPLACE', ...named('infra1') }));
    refused('PEER_URL_TAKEN', () =>
      one.decide(2, { mode: 'REPLACE', peerUrls: urls('HTTP://10.0.0.1:2380') }),
    );
  });
});

test('that a cluster has formed outlives every later change, whatever else is known of it', () => {
  const one = new Case();
  one.register(1);
  one.cluster = { ...one.is, formed: true };
  one.take({ type: 'TOKEN_REOPENED', time: START, expireTime: later(HOUR) });
  assert.equal(one.is.formed, true);
  refused('CLUSTER_FORMED', () => one.decide(2));
});

describe('the discovery text', () => {
  const text = discoveryText('http://disc:8087/t');
  const other = discoveryText('http://disc:8087/t/');

  test('is one for all members of which it is known, in whatever order they come', () => {
    const one = new Case();
    one.register(1);
    one.register(2, text);
    const error = refused('DISCOVERY_TEXT_DIFFERS', () => one.decide(3, other));
    assert.equal(error.facts.member?.id, 'id2');
    for (const said of ["--discovery 'http://disc:8087/t/'", "--discovery 'http://disc:8087/t'", 'infra2']) {
      assert.ok(error.message.includes(said), error.message);
    }
    one.register(4, text);
    assert.equal(one.is.members.at(-1)?.discoveryText, text.discoveryText);
  });

  test('that is known of no other member may change with a replacement, and is lost with one that proves none', () => {
    const one = new Case();
    one.register(1, text);
    one.take(one.decide(1, { mode: 'REPLACE', ...other, peerUrls: urls('http://new:1') }));
    refused('DISCOVERY_TEXT_DIFFERS', () => one.decide(2, text));
    one.take(one.decide(1, { mode: 'REPLACE' }));
    one.register(2, text);
  });

  test('stands before a name and a URL that are taken, which a node with another text has had itself', () => {
    const one = new Case();
    one.register(1, other);
    refused('DISCOVERY_TEXT_DIFFERS', () => one.decide(2, { ...text, ...named('infra1') }));
  });
});

describe('a large cluster', () => {
  const large = (): Case => {
    const one = new Case(size(100));
    for (let n = 1; n <= 50; n++) one.register(n);
    return one;
  };

  test('refuses whom a small one refuses, with the member of the lowest rank that is in the way', () => {
    const one = large();
    assert.equal(one.decide(7), undefined, 'a retry');
    refused('MEMBER_EXISTS', () => one.decide(7, { ...named('other'), peerUrls: urls('http://other:1') }));
    const replace = { mode: 'REPLACE' } as const;
    for (const [reason, more, inTheWay] of [
      ['NAME_TAKEN', named('infra33'), 'id33'],
      ['PEER_URL_TAKEN', { peerUrls: urls('http://new:1', 'HTTP://10.0.0.44:2380') }, 'id44'],
      ['NAME_TAKEN', { ...named('infra9'), peerUrls: urls('http://10.0.0.12:2380') }, 'id9'],
      ['PEER_URL_TAKEN', { ...named('infra12'), peerUrls: urls('http://10.0.0.9:2380') }, 'id9'],
      ['NAME_TAKEN', { ...named('infra9'), peerUrls: urls('http://10.0.0.9:2380') }, 'id9'],
    ] as const) {
      for (const error of [
        refused(reason, () => one.decide(60, more)),
        refused(reason, () => one.decide(50, { ...replace, ...more })),
      ]) {
        assert.equal(error.facts.member?.id, inTheWay);
      }
    }
    refused('MEMBER_NOT_FOUND', () => one.decide(60, replace));
  });

  test('has room again for what a member left behind', () => {
    const one = large();
    one.deregister(20);
    one.register(21, { mode: 'REPLACE', ...named('new'), peerUrls: urls('http://new:1') });
    for (const more of [named('infra20'), named('infra21'), { peerUrls: urls('http://10.0.0.21:2380') }]) {
      assert.equal(one.decide(60, more)?.type, 'REGISTERED');
    }
    assert.equal(one.register(20)?.memberCount, 50);
    refused('NAME_TAKEN', () => one.decide(60, named('infra20')));
    refused('PEER_URL_TAKEN', () => one.decide(60, { peerUrls: urls('http://new:1') }));
  });

  test('does not know of a change that was decided and never committed', () => {
    const one = large();
    const before = one.is;
    one.register(60, { ...named('lost'), peerUrls: urls('http://lost:1') });
    const after = one.is;
    for (const more of [named('lost'), { peerUrls: urls('http://lost:1') }]) {
      assert.equal(decideRegister(before, node(61, more), START)?.type, 'REGISTERED');
      assert.throws(() => decideRegister(after, node(61, more), START), DiscoveryError);
    }
    assert.equal(decideRegister(before, node(60), START)?.type, 'REGISTERED');
  });
});

describe('the state', () => {
  test('goes from assembling to complete, expires at its time, and a deletion is the last word', () => {
    const one = new Case({ ...size(1), ...ttl(HOUR) });
    assert.equal(stateOf(one.is, START), 'ASSEMBLING');
    assert.equal(initialCluster(one.is), '');
    assert.equal(one.register(1)?.complete, true);
    assert.equal(stateOf(one.is, later(HOUR - 1)), 'COMPLETE');
    assert.equal(stateOf(one.is, later(HOUR)), 'EXPIRED');
    const event = one.take(decideDelete(one.is, later(7)));
    assert.equal(event?.type, 'TOKEN_DELETED');
    assert.equal(stateOf(one.is, later(HOUR)), 'DELETED');
  });

  test('of a cluster that has formed is told when its token has ended, and no new token is advised', () => {
    const words = 'its cluster has formed; add this node with etcdctl member add';
    const one = new Case({ ...size(1), ...ttl(HOUR) });
    one.register(1);
    const expired = refused('TOKEN_EXPIRED', () => one.decide(2, {}, later(2 * HOUR)));
    assert.equal(expired.message, `the token expired 1 h ago; ${words}`);
    one.take(decideDelete(one.is, START));
    const deleted = refused('TOKEN_DELETED', () => one.decide(2, {}, later(5000)));
    assert.equal(deleted.message, `the token was deleted 5 s ago; ${words}`);
  });

  test('knows the latest cut: a removal or replacement before it was complete', () => {
    const one = new Case(size(2));
    one.register(1);
    assert.equal(one.is.cutRevision, undefined);
    assert.equal(one.register(1, { mode: 'REPLACE', ...named('x') })?.revision, one.is.cutRevision);
    assert.equal(one.deregister(1)?.revision, one.is.cutRevision);
    const { cutRevision } = one.is;
    one.register(1);
    one.register(2);
    one.register(3, { whenFull: 'STANDBY' });
    one.deregister(3);
    assert.equal(one.is.cutRevision, cutRevision);
  });

  test('a record is never changed in place', () => {
    const one = new Case();
    const freeze = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      Object.freeze(value);
      for (const each of Object.values(value)) freeze(each);
    };
    freeze(one.is);
    for (const step of [
      () => one.register(1),
      () => one.register(2),
      () => one.register(1, { mode: 'REPLACE', ...named('x') }),
      () => one.deregister(2),
      () => one.take(decideDelete(one.is, START)),
    ]) {
      step();
      freeze(one.is);
    }
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { check } from './check.ts';
import type { Listing, Recorded, Registration, Seen } from './history.ts';

const member = (i: number, createRevision: number): Seen => ({
  id: `id${i}`,
  name: `infra${i}`,
  peerUrl: `http://10.0.0.${i}:2380`,
  createRevision: BigInt(createRevision),
});
const [one, two, three] = [member(1, 2), member(2, 4), member(3, 5)] as const;

const registration = (of: Seen, begin: number, outcome: Registration['outcome'] = 'DONE'): Registration => {
  const { createRevision, ...rest } = of;
  const done = outcome === 'DONE' ? { createRevision } : {};
  return { type: 'REGISTER', token: 't', begin, end: begin + 1, outcome, ...rest, ...done };
};
const list = (revision: number, begin: number, ...members: Seen[]): Listing => ({
  type: 'LIST',
  token: 't',
  begin,
  end: begin + 1,
  revision: BigInt(revision),
  members,
});
const event = (of: Seen): { revision: bigint; member: Seen } => ({ revision: of.createRevision, member: of });

/** A history with nothing wrong, but for what is changed in it. */
function history(changes: Partial<Recorded> = {}): Recorded {
  return {
    sizes: new Map([['t', 3]]),
    calls: [
      registration(one, 0),
      list(2, 10, one),
      registration(two, 20, 'UNKNOWN'),
      registration(member(4, 0), 20, 'REFUSED'),
      list(3, 20, one),
      registration(three, 30),
      list(5, 40, one, two, three),
    ],
    watches: [{ token: 't', from: 3n, snapshot: [one], events: [event(two), event(three)] }],
    final: new Map([['t', list(9, 90, one, two, three)]]),
    ...changes,
  };
}

const withCalls = (...calls: Recorded['calls']): Recorded =>
  history({ calls: [...history().calls, ...calls] });
const withWatch = (from: number, snapshot: Seen[], ...events: Seen[]): Recorded =>
  history({ watches: [{ token: 't', from: BigInt(from), snapshot, events: events.map(event) }] });
const withFinal = (...members: Seen[]): Recorded =>
  history({ final: new Map([['t', list(9, 90, ...members)]]) });

const PLANTED: ReadonlyArray<[what: string, history: Recorded, found: RegExp]> = [
  [
    'a registration that was acknowledged is lost',
    withFinal(one, two),
    /the registration of id3 at 5 is lost/,
  ],
  [
    'a registration that was acknowledged at another revision',
    withFinal(one, two, member(3, 6)),
    /id3 at 5 is lost/,
  ],
  ['an id twice', withFinal(one, two, three, { ...member(5, 7), id: 'id1' }), /two members have the same id/],
  ['a name twice', withFinal(one, two, three, { ...member(5, 7), name: 'infra1' }), /have the same name/],
  ['a revision twice', withFinal(one, two, three, member(5, 5)), /have the same createRevision/],
  ['one member too many', withFinal(one, two, three, member(5, 7)), /4 members where 3 have room/],
  [
    'a member that was refused',
    withFinal(one, two, three, member(4, 7)),
    /id4 .* no registration of it succeeded/,
  ],
  ['a list that is too old', withCalls(list(2, 50, one)), /does not see id3, acknowledged before it began/],
  [
    'a list of an older revision than one before',
    withCalls(list(4, 50, one, two)),
    /at 4 began after one at 5/,
  ],
  ['a list with a hole', withCalls(list(5, 31, one, three)), /list at 5 has id1@2 id3@5 where/],
  [
    'a list with the future in it',
    withCalls(list(3, 22, one, two)),
    /list at 3 has id1@2 id2@4 where id1@2 was due/,
  ],
  ['a list with somebody twice', withCalls(list(5, 50, one, two, two, three)), /list at 5 has/],
  ['a watch with a gap', withWatch(3, [one], three), /told id3@5 where id2@4 id3@5 was due/],
  ['a watch that tells twice', withWatch(3, [one], two, two, three), /told id2@4 id2@4 id3@5/],
  ['a watch out of order', withWatch(3, [one], three, two), /told id3@5 id2@4/],
  [
    'a watch that tells what its snapshot had',
    withWatch(4, [one, two], two, three),
    /told id2@4 id3@5 where id3@5/,
  ],
  ['a snapshot with a hole', withWatch(4, [one], three), /snapshot at 4 has id1@2 where id1@2 id2@4/],
];

suite('the checker of histories', () => {
  test('has nothing to say of a right one', () => {
    assert.deepEqual(check(history()), []);
  });
  for (const [what, planted, found] of PLANTED) {
    test(`finds ${what}`, () => {
      assert.match(check(planted).join('\n'), found);
    });
  }
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { check } from './check.ts';
import type { ListedMember, Listing, RecordedHistory, Registration } from './history.ts';

const member = (i: number, createRevision: number): ListedMember => ({
  id: `id${i}`,
  name: `infra${i}`,
  peerUrl: `http://10.0.0.${i}:2380`,
  createRevision: BigInt(createRevision),
});
const [one, two, three] = [member(1, 2), member(2, 4), member(3, 5)] as const;

const registration = (
  of: ListedMember,
  begin: number,
  outcome: Registration['outcome'] = 'DONE',
): Registration => {
  const { createRevision, ...rest } = of;
  const done = outcome === 'DONE' ? { createRevision } : {};
  return { type: 'REGISTER', token: 't', begin, end: begin + 1, outcome, ...rest, ...done };
};
const list = (revision: number, begin: number, ...members: ListedMember[]): Listing => ({
  type: 'LIST',
  token: 't',
  begin,
  end: begin + 1,
  revision: BigInt(revision),
  members,
});
const event = (of: ListedMember): { revision: bigint; member: ListedMember } => ({
  revision: of.createRevision,
  member: of,
});

/** Returns a correct history with the given changes. */
function history(changes: Partial<RecordedHistory> = {}): RecordedHistory {
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

const withCalls = (...calls: RecordedHistory['calls']): RecordedHistory =>
  history({ calls: [...history().calls, ...calls] });
const withWatch = (from: number, snapshot: ListedMember[], ...events: ListedMember[]): RecordedHistory =>
  history({ watches: [{ token: 't', from: BigInt(from), snapshot, events: events.map(event) }] });
const withFinal = (...members: ListedMember[]): RecordedHistory =>
  history({ final: new Map([['t', list(9, 90, ...members)]]) });

const PLANTED: ReadonlyArray<[what: string, history: RecordedHistory, found: RegExp]> = [
  ['an acknowledged registration that is lost', withFinal(one, two), /the registration of id3 at 5 is lost/],
  ['an acknowledged registration at another revision', withFinal(one, two, member(3, 6)), /id3 at 5 is lost/],
  [
    'a duplicate id',
    withFinal(one, two, three, { ...member(5, 7), id: 'id1' }),
    /two members have the same id/,
  ],
  ['a duplicate name', withFinal(one, two, three, { ...member(5, 7), name: 'infra1' }), /have the same name/],
  ['a duplicate revision', withFinal(one, two, three, member(5, 5)), /have the same createRevision/],
  ['one member too many', withFinal(one, two, three, member(5, 7)), /4 members in a cluster of 3/],
  ['a rejected member', withFinal(one, two, three, member(4, 7)), /id4 .* its registration did not succeed/],
  ['an outdated list', withCalls(list(2, 50, one)), /does not see id3, acknowledged before it began/],
  [
    'a list of an older revision than an earlier one',
    withCalls(list(4, 50, one, two)),
    /at 4 began after one at 5/,
  ],
  ['a list with a gap', withCalls(list(5, 31, one, three)), /list at 5 has id1@2 id3@5 instead of/],
  [
    'a list with a later member',
    withCalls(list(3, 22, one, two)),
    /list at 3 has id1@2 id2@4 instead of id1@2/,
  ],
  ['a list with a duplicate member', withCalls(list(5, 50, one, two, two, three)), /list at 5 has/],
  ['a watch with a gap', withWatch(3, [one], three), /reported id3@5 instead of id2@4 id3@5/],
  ['a watch with a duplicate event', withWatch(3, [one], two, two, three), /reported id2@4 id2@4 id3@5/],
  ['a watch out of order', withWatch(3, [one], three, two), /reported id3@5 id2@4/],
  [
    'a watch that repeats its snapshot',
    withWatch(4, [one, two], two, three),
    /reported id2@4 id3@5 instead of id3@5/,
  ],
  ['a snapshot with a gap', withWatch(4, [one], three), /snapshot at 4 has id1@2 instead of id1@2 id2@4/],
];

suite('the checker of histories', () => {
  test('accepts a correct history', () => {
    assert.deepEqual(check(history()), []);
  });
  for (const [what, planted, found] of PLANTED) {
    test(`finds ${what}`, () => {
      assert.match(check(planted).join('\n'), found);
    });
  }
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checker, judge } from './checker.ts';
import type { Call, Outcome, Recorded, Seen } from './history.ts';

// That the checker finds what it is for, and nothing else, in histories made by hand.

const ok = (revision: number, facts: object = {}): Outcome => ({ status: 'OK', revision, ...facts });
const refused = (reason: string): Outcome => ({ status: 'REFUSED', reasons: [reason] });
const UNKNOWN: Outcome = { status: 'UNKNOWN' };
const created = (revision: number): Outcome =>
  ok(revision, { did: 'CREATED', created: revision, modified: revision });

const register = (i: number, variant = 'a', mode: 'CREATE' | 'REPLACE' = 'CREATE'): Call => ({
  kind: 'register',
  id: `id${i}`,
  name: `m${i}${variant}`,
  mode,
  standby: false,
});
const deregister = (i: number): Call => ({ kind: 'deregister', id: `id${i}` });
const seen = (i: number, revision: number, variant = 'a', modified = revision): Seen => ({
  id: `id${i}`,
  name: `m${i}${variant}`,
  created: revision,
  modified,
});
const list = (revision: number, ...members: Seen[]): [Call, Outcome] => [
  { kind: 'list' },
  ok(revision, { members }),
];
const [one, two, three] = [seen(1, 2), seen(2, 3), seen(3, 4)] as const;

/** Calls one after the other, unless they have a begin and an end of their own. */
type Line = readonly [call: Call, outcome: Outcome, begin?: number, end?: number];

function history(...lines: Line[]): Recorded[] {
  return lines.map(([call, outcome, begin, end], i) => {
    return { token: 't', client: i, begin: begin ?? i * 10, end: end ?? i * 10 + 5, call, outcome };
  });
}

const made: Line = [{ kind: 'create', size: 3 }, ok(1, { did: 'CREATED' })];
const [first, second, third]: readonly [Line, Line, Line] = [
  [register(1), created(2)],
  [register(2), created(3)],
  [register(3), created(4)],
];

const LINEARIZABLE: Readonly<Record<string, Recorded[]>> = {
  'a cluster forms': history(made, first, second, third, list(4, one, two, three)),
  'a list sees a registration that has no answer yet': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(2, one), 20, 30],
  ),
  'a list does not see a registration that has no answer yet': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(1), 20, 30],
  ),
  'a registration without an answer is seen late': history(
    made,
    [register(1), UNKNOWN],
    list(1),
    list(2, one),
  ),
  'a registration without an answer is never seen': history(made, [register(1), UNKNOWN], list(1), list(1)),
  'a complete cluster is final, and has standbys beyond it': history(
    made,
    first,
    second,
    third,
    [register(4), refused('CLUSTER_FULL')],
    [{ ...register(4), standby: true } as Call, created(5)],
    [deregister(1), refused('CLUSTER_FORMED')],
    [deregister(4), ok(6)],
    list(6, one, two, three),
  ),
  'a member is replaced, keeps its rank, and leaves': history(
    made,
    first,
    second,
    [register(1, 'b', 'REPLACE'), ok(4, { did: 'REPLACED', created: 2, modified: 4 })],
    list(4, seen(1, 2, 'b', 4), two),
    [deregister(1), ok(5)],
    list(5, two),
  ),
  'a token is deleted': history(
    made,
    first,
    [{ kind: 'delete' }, ok(3)],
    [{ kind: 'delete' }, ok(3)],
    [{ kind: 'delete' }, refused('TOKEN_DELETED')],
    [{ kind: 'list' }, refused('TOKEN_DELETED')],
    [{ kind: 'create', size: 3 }, refused('TOKEN_DELETED')],
  ),
};

const WRONG: Readonly<Record<string, Recorded[]>> = {
  'a list misses a registration that was acknowledged': history(made, first, second, list(3, one)),
  'a registration that was acknowledged is lost': history(
    made,
    first,
    second,
    list(3, one, two),
    list(3, two),
  ),
  'two members have one rank': history(made, first, second, list(3, one, { ...two, created: 2 })),
  'two lists have other orders': history(
    made,
    [register(1), UNKNOWN],
    [register(2), UNKNOWN],
    list(3, seen(1, 2), seen(2, 3)),
    list(3, seen(2, 2), seen(1, 3)),
  ),
  'a list has a member that nobody registered': history(made, first, list(3, one, two)),
  'a list is older than one before': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(2, one), 20, 30],
    [...list(1), 40, 50],
  ),
  'a revision goes back': history(made, first, list(5, one), [register(2), created(4)]),
  'two writes have one revision': history(made, first, [register(2), created(2)]),
  'a cluster has one member too many': history(made, first, second, third, [register(4), created(5)]),
  'a complete cluster loses a member': history(made, first, second, third, [deregister(1), ok(5)]),
  'a registration is refused without a reason': history(made, first, [register(2), refused('CLUSTER_FULL')]),
  'one id is registered twice': history(made, first, [register(1, 'b'), created(3)]),
  'a replacement takes another rank': history(
    made,
    first,
    second,
    [register(1, 'b', 'REPLACE'), ok(4)],
    list(4, two, seen(1, 4, 'b')),
  ),
  'a registration without an answer is seen and then not': history(
    made,
    [register(1), UNKNOWN],
    list(2, one),
    list(2),
  ),
  'a token that was deleted is there': history(made, [{ kind: 'delete' }, ok(2)], list(3)),
  'one token is made with two sizes': history(made, [{ kind: 'create', size: 4 }, ok(2, { did: 'CREATED' })]),
};

const tool = await checker();

suite('the checker', { skip: tool.missing ?? false }, () => {
  const path = tool.path ?? '';
  for (const [what, of] of Object.entries(LINEARIZABLE)) {
    test(`takes that ${what}`, async () => {
      const { linearizable, text } = await judge(path, of);
      assert.ok(linearizable, text);
    });
  }
  for (const [what, of] of Object.entries(WRONG)) {
    test(`finds that ${what}`, async () => {
      assert.equal((await judge(path, of)).linearizable, false);
    });
  }

  test('shows the least of a history that is wrong', async () => {
    const before: Line[] = [made, first, list(2, one), list(2, one), second];
    const after: Line[] = [list(3, one), list(3, one, two), third, list(4, one, two, three)];
    const { text } = await judge(path, history(...before, ...after));
    // What made the state, and the list that does not show it; not the lists before, nor what came after.
    const kinds = [...text.matchAll(/"call":\{"kind":"(\w+)"/g)].map(([, kind]) => kind);
    assert.deepEqual(kinds, ['create', 'register', 'register', 'list']);
  });

  test('looks at each token alone', async () => {
    const wrong = history(made, first, list(1)).map((each) => ({ ...each, token: 'u' }));
    const { linearizable, text } = await judge(path, [...history(made, first, list(2, one)), ...wrong]);
    assert.equal(linearizable, false);
    assert.match(text, /^u: /);
  });
});

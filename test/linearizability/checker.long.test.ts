import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { buildChecker, runChecker } from './checker.ts';
import type { Call, CallOutcome, RecordedCall, SeenMember } from './history.ts';

// Tests with handwritten histories that the checker finds what it is for, and nothing else.

const ok = (revision: number, facts: object = {}): CallOutcome => ({ status: 'OK', revision, ...facts });
const refused = (reason: string): CallOutcome => ({ status: 'REFUSED', reasons: [reason] });
const UNKNOWN: CallOutcome = { status: 'UNKNOWN' };
const created = (revision: number): CallOutcome =>
  ok(revision, { did: 'CREATED', created: revision, modified: revision });

const register = (i: number, variant = 'a', mode: 'CREATE' | 'REPLACE' = 'CREATE'): Call => ({
  kind: 'register',
  id: `id${i}`,
  name: `m${i}${variant}`,
  mode,
  standby: false,
});
const deregister = (i: number): Call => ({ kind: 'deregister', id: `id${i}` });
const seen = (i: number, revision: number, variant = 'a', modified = revision): SeenMember => ({
  id: `id${i}`,
  name: `m${i}${variant}`,
  created: revision,
  modified,
});
const list = (revision: number, ...members: SeenMember[]): [Call, CallOutcome] => [
  { kind: 'list' },
  ok(revision, { members }),
];
const [one, two, three] = [seen(1, 2), seen(2, 3), seen(3, 4)] as const;

/** Calls run one after the other unless they have their own begin and end. */
type Line = readonly [call: Call, outcome: CallOutcome, begin?: number, end?: number];

function history(...lines: Line[]): RecordedCall[] {
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

const LINEARIZABLE: Readonly<Record<string, RecordedCall[]>> = {
  'a cluster forms': history(made, first, second, third, list(4, one, two, three)),
  'a list has a registration that is still in progress': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(2, one), 20, 30],
  ),
  'a list lacks a registration that is still in progress': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(1), 20, 30],
  ),
  'a registration without a response appears late': history(
    made,
    [register(1), UNKNOWN],
    list(1),
    list(2, one),
  ),
  'a registration without a response never appears': history(made, [register(1), UNKNOWN], list(1), list(1)),
  'a complete cluster is final, and has standbys': history(
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

const WRONG: Readonly<Record<string, RecordedCall[]>> = {
  'a list lacks an acknowledged registration': history(made, first, second, list(3, one)),
  'an acknowledged registration is lost': history(made, first, second, list(3, one, two), list(3, two)),
  'two members have the same rank': history(made, first, second, list(3, one, { ...two, created: 2 })),
  'two lists have different orders': history(
    made,
    [register(1), UNKNOWN],
    [register(2), UNKNOWN],
    list(3, seen(1, 2), seen(2, 3)),
    list(3, seen(2, 2), seen(1, 3)),
  ),
  'a list has a member that was never registered': history(made, first, list(3, one, two)),
  'a list is older than an earlier one': history(
    made,
    [register(1), created(2), 10, 100],
    [...list(2, one), 20, 30],
    [...list(1), 40, 50],
  ),
  'a revision decreases': history(made, first, list(5, one), [register(2), created(4)]),
  'two writes have the same revision': history(made, first, [register(2), created(2)]),
  'a cluster has one member too many': history(made, first, second, third, [register(4), created(5)]),
  'a complete cluster loses a member': history(made, first, second, third, [deregister(1), ok(5)]),
  'a registration is rejected without cause': history(made, first, [register(2), refused('CLUSTER_FULL')]),
  'an id is registered twice': history(made, first, [register(1, 'b'), created(3)]),
  'a replacement changes the rank': history(
    made,
    first,
    second,
    [register(1, 'b', 'REPLACE'), ok(4)],
    list(4, two, seen(1, 4, 'b')),
  ),
  'a registration without a response appears and disappears': history(
    made,
    [register(1), UNKNOWN],
    list(2, one),
    list(2),
  ),
  'a deleted token is served': history(made, [{ kind: 'delete' }, ok(2)], list(3)),
  'a token is created with two sizes': history(made, [
    { kind: 'create', size: 4 },
    ok(2, { did: 'CREATED' }),
  ]),
};

const tool = await buildChecker();

suite('the checker', { skip: tool.missing ?? false }, () => {
  const path = tool.path ?? '';
  for (const [what, of] of Object.entries(LINEARIZABLE)) {
    test(`accepts a history where ${what}`, async () => {
      const { linearizable, text } = await runChecker(path, of);
      assert.ok(linearizable, text);
    });
  }
  for (const [what, of] of Object.entries(WRONG)) {
    test(`rejects a history where ${what}`, async () => {
      assert.equal((await runChecker(path, of)).linearizable, false);
    });
  }

  test('shows the smallest part of a history that is wrong', async () => {
    const before: Line[] = [made, first, list(2, one), list(2, one), second];
    const after: Line[] = [list(3, one), list(3, one, two), third, list(4, one, two, three)];
    const { text } = await runChecker(path, history(...before, ...after));
    // The calls that produced the state, and the list that contradicts it; not the lists before, nor later calls.
    const kinds = [...text.matchAll(/"call":\{"kind":"(\w+)"/g)].map(([, kind]) => kind);
    assert.deepEqual(kinds, ['create', 'register', 'register', 'list']);
  });

  test('checks each token separately', async () => {
    const wrong = history(made, first, list(1)).map((each) => ({ ...each, token: 'u' }));
    const { linearizable, text } = await runChecker(path, [...history(made, first, list(2, one)), ...wrong]);
    assert.equal(linearizable, false);
    assert.match(text, /^u: /);
  });
});

import type { MessageInitShape } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import {
  type CompareSchema,
  WatchCreateRequest_FilterType as Filter,
  RangeRequest_SortOrder as Order,
  type RangeRequestSchema,
  type RequestOpSchema,
  Compare_CompareResult as Result,
  RangeRequest_SortTarget as Target,
  type WatchResponse,
  Compare_CompareTarget as What,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import {
  bytes,
  type Etcd,
  infraValue,
  memberKey,
  membersPrefix,
  type Plain,
  plain,
  prefix,
  REGISTRY,
  sizeKey,
  tokenPrefix,
  WatchSession,
} from './etcd.ts';

/** A call and its response: one line of the recording. */
export interface Step {
  readonly name: string;
  /** A response, the `{code, message}` of an error, or a list of a watch's responses. */
  readonly answer: Plain;
}

/** The server that the script runs against. */
export interface Stage {
  readonly etcd: Etcd;
  /** Makes the server forget the history of a token. */
  readonly compact: (token: string, revision: bigint) => Promise<void>;
}

const T = 'golden';

/**
 * Runs every kind of call that the dialect has, and yields the responses. Revisions in requests come from earlier
 * responses, so that the calls mean the same to every server.
 */
export async function* playScript({ etcd, compact }: Stage): AsyncGenerator<Step> {
  const { kv } = etcd;
  const put = (key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>, more = {}) =>
    kv.put({ key, value, ...more });
  const members = membersPrefix(T);

  // Servers start at different revisions, and 0 means none.
  await put(sizeKey('before'), bytes('1'));

  yield* step('read: a size key that is not there', kv.range({ key: sizeKey(T) }));
  yield* step('read: members of a token that is not there', kv.range(members));
  const made = await kv.put({ key: sizeKey(T), value: bytes('9') });
  yield { name: 'put: a size key', answer: plain(made) };
  yield* step('read: the size key', kv.range({ key: sizeKey(T) }));
  yield* step('read: no members', kv.range(members));
  yield* step('put: a member', put(memberKey(T, 'c'), infraValue(3)));
  const second = await put(memberKey(T, 'a'), infraValue(2), { prevKv: true });
  yield { name: 'put: a member, with what was before', answer: plain(second) };
  yield* step('put: another member', put(memberKey(T, 'b'), infraValue(1)));
  yield* step(
    'put: a changed member, with what was before',
    put(memberKey(T, 'a'), bytes('infra2=http://10.0.0.12:2380'), { prevKv: true }),
  );
  const latest = await put(memberKey(T, 'a'), bytes('infra2=http://10.0.0.22:2380'));
  yield { name: 'put: a changed member', answer: plain(latest) };
  const first = made.header?.revision ?? 0n;
  const now = latest.header?.revision ?? 0n;

  const range = (name: string, request: MessageInitShape<typeof RangeRequestSchema>) =>
    step(`read: ${name}`, kv.range(request));
  yield* range('one member', { key: memberKey(T, 'a') });
  yield* range('a member that is not there', { key: memberKey(T, 'x') });
  yield* range('the members', members);
  yield* range('the members, with the slash', prefix(`${REGISTRY}${T}/members/`));
  yield* range('the token, with the slash', tokenPrefix(T));
  yield* range('the token, without the slash', prefix(`${REGISTRY}${T}`));
  yield* range('the key of the token alone', { key: bytes(`${REGISTRY}${T}`) });
  yield* range('the configuration', prefix(`${REGISTRY}${T}/_config`));
  yield* range('part of the members', { key: memberKey(T, 'a'), rangeEnd: memberKey(T, 'c') });
  yield* range('a range that ends before it begins', {
    key: memberKey(T, 'c'),
    rangeEnd: memberKey(T, 'a'),
  });
  yield* range('a range that ends where it begins', { key: memberKey(T, 'a'), rangeEnd: memberKey(T, 'a') });
  for (const limit of [1n, 3n, 4n, 5n]) yield* range(`limit ${limit} of 4`, { ...tokenPrefix(T), limit });
  yield* range('keys only', { ...members, keysOnly: true });
  yield* range('the count alone', { ...members, countOnly: true });
  yield* range('the count alone, with a limit', { ...members, countOnly: true, limit: 1n });
  yield* range('keys only, with a limit', { ...members, keysOnly: true, limit: 2n });
  yield* range('serializable', { ...members, serializable: true });
  for (const [order, sortOrder] of [
    ['any', Order.NONE],
    ['ascending', Order.ASCEND],
    ['descending', Order.DESCEND],
  ] as const) {
    for (const [target, sortTarget] of [
      ['key', Target.KEY],
      ['version', Target.VERSION],
      ['create revision', Target.CREATE],
      ['mod revision', Target.MOD],
      ['value', Target.VALUE],
    ] as const) {
      yield* range(`${order} by ${target}`, { ...tokenPrefix(T), sortOrder, sortTarget });
    }
    yield* range(`${order} by create revision, limit 2`, {
      ...tokenPrefix(T),
      sortOrder,
      sortTarget: Target.CREATE,
      limit: 2n,
    });
  }
  yield* range('keys only, by value', {
    ...tokenPrefix(T),
    sortTarget: Target.VALUE,
    sortOrder: Order.ASCEND,
    keysOnly: true,
  });
  const third = second.header?.revision ?? 0n;
  yield* range('least mod revision', { ...tokenPrefix(T), minModRevision: third + 1n });
  yield* range('greatest mod revision', { ...tokenPrefix(T), maxModRevision: third + 1n });
  yield* range('least create revision', { ...tokenPrefix(T), minCreateRevision: third });
  yield* range('greatest create revision', { ...tokenPrefix(T), maxCreateRevision: third });
  yield* range('between mod revisions, limit 1', {
    ...tokenPrefix(T),
    minModRevision: first,
    maxModRevision: now,
    limit: 1n,
  });
  yield* range('a greatest mod revision, and the count alone', {
    ...tokenPrefix(T),
    maxModRevision: first,
    countOnly: true,
  });
  yield* range('at the current revision', { ...members, revision: now });
  yield* range('at a revision to come', { ...members, revision: now + 100n });
  yield* range('at a revision before the members', { ...members, revision: first });
  yield* range('at a negative revision', { ...members, revision: -1n });
  yield* range('an unknown sort target', { ...members, sortTarget: 9 as Target });
  yield* range('an empty key', { key: bytes('') });
  yield* range('everything', { key: bytes('\0'), rangeEnd: bytes('\0') });
  yield* range('from a member on', { key: memberKey(T, 'a'), rangeEnd: bytes('\0') });
  yield* range('a key outside', { key: bytes('/secret') });
  yield* range('all tokens', prefix(REGISTRY));
  yield* range('the health of etcdctl', { key: bytes('health') });

  yield* step('put: an empty key', put(bytes(''), infraValue(1)));
  yield* step('put: a key outside', put(bytes('/secret'), infraValue(1)));
  yield* step('put: an unknown key of the token', put(bytes(`${REGISTRY}${T}/x`), infraValue(1)));
  yield* step('put: a lease that is not there', put(memberKey(T, 'a'), infraValue(2), { lease: 7n }));
  yield* step(
    'put: ignore the value',
    kv.put({ key: memberKey('again', 'a'), value: bytes(''), ignoreValue: true }),
  );
  yield* step(
    'put: ignore the lease',
    kv.put({ key: memberKey('again', 'a'), value: infraValue(2), ignoreLease: true }),
  );
  await put(sizeKey('again'), bytes('3'));
  yield* step('put: a member of another token', put(memberKey('again', 'a'), infraValue(1)));
  yield* step('put: the same size again', put(sizeKey('again'), bytes('3'), { prevKv: true }));
  yield* step('put: another size', put(sizeKey('again'), bytes('5')));
  yield* step('put: the same member again', put(memberKey('again', 'a'), infraValue(1), { prevKv: true }));
  yield* step('put: a member with the name of another', put(memberKey('again', 'b'), infraValue(1)));
  yield* step('put: a bad size', put(sizeKey('bad'), bytes('abc')));
  yield* step('put: a bad member', put(memberKey('again', 'c'), bytes('infra9')));
  yield* step('put: a member without a token', put(memberKey('nowhere', 'a'), infraValue(1)));

  yield* transactions(etcd);
  yield* watches(etcd);

  const remove = (name: string, request: MessageInitShape<typeof RangeRequestSchema>, more = {}) =>
    step(
      `delete: ${name}`,
      kv.deleteRange({ key: request.key ?? bytes(''), rangeEnd: request.rangeEnd ?? bytes(''), ...more }),
    );
  const D = 'deleted';
  await put(sizeKey(D), bytes('9'));
  for (const i of [1, 2, 3, 4]) await put(memberKey(D, `m${i}`), infraValue(i));
  yield* remove('a member that is not there', { key: memberKey(D, 'x') });
  yield* remove('a member', { key: memberKey(D, 'm1') });
  yield* remove('a member, with what was before', { key: memberKey(D, 'm2') }, { prevKv: true });
  yield* remove('that member again', { key: memberKey(D, 'm2') }, { prevKv: true });
  yield* step('read: after deletions', kv.range(tokenPrefix(D)));
  yield* step('put: a member once more', put(memberKey(D, 'm1'), infraValue(1)));
  yield* step('read: a member once more', kv.range({ key: memberKey(D, 'm1') }));
  yield* remove('an empty range', { key: memberKey(D, 'm3'), rangeEnd: memberKey(D, 'm1') });
  yield* remove('everything under the token, with what was before', tokenPrefix(D), { prevKv: true });
  yield* remove('everything under the token again', tokenPrefix(D));
  yield* step('read: a deleted token', kv.range(tokenPrefix(D)));
  yield* step('put: the size key of a deleted token', put(sizeKey(D), bytes('3')));
  await put(sizeKey('one'), bytes('3'));
  await put(memberKey('one', 'a'), infraValue(1));
  yield* remove('the members, of which there is one', membersPrefix('one'), { prevKv: true });
  yield* remove('a key outside', { key: bytes('/secret') });
  yield* remove('an empty key', { key: bytes('') });
  yield* remove('the size key alone', { key: sizeKey('one') });

  // etcd accepted calls that the service rejects, so its revision is ahead.
  await put(sizeKey('after'), bytes('1'));
  yield* step('status', etcd.maintenance.status({}));
  yield* step('alarms', etcd.maintenance.alarm({}));
  yield* step('members of the cluster', etcd.cluster.memberList({ linearizable: true }));
  yield* step('whether authentication is on', etcd.auth.authStatus({}));
  yield* step('a name and password', etcd.auth.authenticate({ name: 'root', password: 'x' }));

  const { header } = await kv.range(members);
  await compact(T, header?.revision ?? 0n);
  yield* step('read: at a revision that is compacted', kv.range({ ...members, revision: first }));
  const session = new WatchSession(etcd.watch);
  session.create({ ...members, startRevision: first });
  yield* answers('watch: from a revision that is compacted', session, { control: 2, events: 0 });
  session.stop();
}

type CompareInit = MessageInitShape<typeof CompareSchema>;
type Operation = MessageInitShape<typeof RequestOpSchema>;

async function* transactions({ kv }: Etcd): AsyncGenerator<Step> {
  const X = 'txn';
  const key = memberKey(X, 'a');
  const get = (key: Uint8Array<ArrayBuffer>): Operation => ({
    request: { case: 'requestRange', value: { key } },
  });
  const put = (key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>, prevKv = false): Operation => ({
    request: { case: 'requestPut', value: { key, value, prevKv } },
  });
  const absent = (key: Uint8Array<ArrayBuffer>): CompareInit => ({
    key,
    target: What.CREATE,
    result: Result.EQUAL,
    targetUnion: { case: 'createRevision', value: 0n },
  });
  const txn = (
    name: string,
    compare: readonly CompareInit[],
    success: readonly Operation[],
    failure: readonly Operation[] = [],
  ) =>
    step(
      `transaction: ${name}`,
      kv.txn({ compare: [...compare], success: [...success], failure: [...failure] }),
    );

  const size = sizeKey(X);
  yield* txn('make a token that is not there', [absent(size)], [put(size, bytes('3'))], [get(size)]);
  yield* txn('make a token that is there', [absent(size)], [put(size, bytes('5'))], [get(size)]);
  yield* txn('create a member', [absent(key)], [put(key, infraValue(1))], [get(key)]);
  yield* txn('create a member that is there', [absent(key)], [put(key, infraValue(2))], [get(key)]);
  yield* txn('nothing to do on failure', [absent(key)], [put(key, infraValue(2))]);
  const revision = (await kv.range({ key })).kvs[0]?.modRevision ?? 0n;
  const at = (value: bigint): CompareInit => ({
    key,
    target: What.MOD,
    result: Result.EQUAL,
    targetUnion: { case: 'modRevision', value },
  });
  yield* txn(
    'compare the mod revision and put, between reads',
    [at(revision)],
    [get(key), put(key, infraValue(11), true), get(key)],
  );
  yield* txn(
    'compare the old mod revision',
    [at(revision)],
    [put(key, infraValue(12))],
    [get(key), get(memberKey(X, 'x'))],
  );
  yield* txn(
    'compare and read everything',
    [absent(key)],
    [],
    [{ request: { case: 'requestRange', value: { ...tokenPrefix(X), limit: 1n, keysOnly: true } } }],
  );
  const compares: ReadonlyArray<[name: string, compare: CompareInit]> = [
    ['version 2', { target: What.VERSION, targetUnion: { case: 'version', value: 2n } }],
    [
      'version above 2',
      { target: What.VERSION, result: Result.GREATER, targetUnion: { case: 'version', value: 2n } },
    ],
    [
      'version below 3',
      { target: What.VERSION, result: Result.LESS, targetUnion: { case: 'version', value: 3n } },
    ],
    [
      'version not 2',
      { target: What.VERSION, result: Result.NOT_EQUAL, targetUnion: { case: 'version', value: 2n } },
    ],
    ['create revision', { target: What.CREATE, targetUnion: { case: 'createRevision', value: revision } }],
    [
      'mod revision above',
      { target: What.MOD, result: Result.GREATER, targetUnion: { case: 'modRevision', value: revision } },
    ],
    ['value', { target: What.VALUE, targetUnion: { case: 'value', value: infraValue(11) } }],
    [
      'value below',
      { target: What.VALUE, result: Result.LESS, targetUnion: { case: 'value', value: infraValue(11) } },
    ],
    [
      'value not',
      { target: What.VALUE, result: Result.NOT_EQUAL, targetUnion: { case: 'value', value: infraValue(12) } },
    ],
    ['lease 0', { target: What.LEASE, targetUnion: { case: 'lease', value: 0n } }],
    ['nothing, by its version', { target: What.VERSION }],
    ['nothing, by its mod revision', { target: What.MOD, result: Result.GREATER }],
    ['a union of another target', { target: What.MOD, targetUnion: { case: 'version', value: 2n } }],
    ['nothing, by its value', { target: What.VALUE, result: Result.GREATER }],
  ];
  for (const [name, compare] of compares) yield* txn(`compare ${name}`, [{ key, ...compare }], []);
  const no = memberKey(X, 'x');
  yield* txn('compare the value of no key', [{ key: no, target: What.VALUE, result: Result.NOT_EQUAL }], []);
  yield* txn(
    'compare the version of no key',
    [{ key: no, target: What.VERSION, result: Result.NOT_EQUAL }],
    [],
  );
  yield* txn('two comparisons, one of which holds', [absent(no), absent(key)], [], [get(key)]);
  yield* txn('no comparison', [], [get(key)]);
  yield* txn('put without comparison', [], [put(key, infraValue(12))]);
  yield* txn('nothing at all', [], []);
  yield* txn('compare an empty key', [absent(bytes(''))], []);
  yield* txn('an empty operation', [absent(no)], [{ request: { case: undefined } }]);
  yield* txn('two puts on one key', [absent(no)], [put(no, infraValue(2)), put(no, infraValue(3))]);
  yield* txn('two puts', [absent(no)], [put(no, infraValue(2)), put(memberKey(X, 'y'), infraValue(3))]);
  yield* txn('compare one key and put another', [absent(memberKey(X, 'z'))], [put(no, infraValue(5))]);
  yield* txn('delete', [], [{ request: { case: 'requestDeleteRange', value: { key } } }]);
  yield* txn(
    'a transaction inside',
    [],
    [{ request: { case: 'requestTxn', value: { success: [get(key)] } } }],
  );
  yield* txn('compare a range', [{ ...membersPrefix(X), target: What.VERSION, result: Result.GREATER }], []);
  yield* txn('read a key outside', [absent(no)], [get(bytes('/secret'))]);
}

async function* watches({ kv, watch }: Etcd): AsyncGenerator<Step> {
  const W = 'watch';
  const members = membersPrefix(W);
  const put = (id: string, i: number) => kv.put({ key: memberKey(W, id), value: infraValue(i) });
  const remove = (id: string) => kv.deleteRange({ key: memberKey(W, id) });
  const session = new WatchSession(watch);
  const made = await kv.put({ key: sizeKey(W), value: bytes('9') });
  const first = made.header?.revision ?? 0n;

  session.create(members);
  yield* answers('watch: the members', session, { control: 1, events: 0 });
  session.create({ key: memberKey(W, 'b') });
  yield* answers('watch: one member', session, { control: 1, events: 0 });
  await put('a', 1);
  yield* answers('watch: a new member', session, { control: 0, events: 1 });
  await put('a', 11);
  yield* answers('watch: a changed member', session, { control: 0, events: 1 });
  session.create({ ...members, prevKv: true, watchId: 7n });
  yield* answers('watch: with what was before, and an id', session, { control: 1, events: 0 });
  await put('a', 12);
  yield* answers('watch: a changed member, to two watches', session, { control: 0, events: 2 });
  await put('b', 2);
  yield* answers('watch: a new member, to three watches', session, { control: 0, events: 3 });
  session.create({ ...members, watchId: 7n });
  yield* answers('watch: an id that is taken', session, { control: 1, events: 0 });
  session.create({ key: bytes('/secret') });
  yield* answers('watch: a key outside', session, { control: 1, events: 0 });
  session.create({ ...members, startRevision: -1n });
  yield* answers('watch: from a negative revision', session, { control: 1, events: 0 });
  session.create({ key: memberKey(W, 'b'), rangeEnd: memberKey(W, 'a') });
  yield* answers('watch: a range that ends before it begins', session, { control: 1, events: 0 });
  session.progress();
  yield* answers('watch: progress', session, { control: 1, events: 0 });
  session.cancel(99n);
  session.cancel(7n);
  yield* answers('watch: cancelled', session, { control: 1, events: 0 });
  session.create({ ...members, filters: [Filter.NOPUT], watchId: 20n });
  yield* answers('watch: deletions alone', session, { control: 1, events: 0 });
  session.create({ ...members, filters: [Filter.NODELETE], watchId: 21n });
  yield* answers('watch: writes alone', session, { control: 1, events: 0 });
  await put('c', 3);
  yield* answers('watch: a new member, to two of three watches', session, { control: 0, events: 2 });
  await remove('c');
  yield* answers('watch: a deleted member, to two of three watches', session, { control: 0, events: 2 });
  session.create({ key: memberKey(W, 'c'), prevKv: true, startRevision: first, watchId: 30n });
  yield* answers('watch: a member that is gone, from the past', session, { control: 1, events: 2 });
  session.create({ ...tokenPrefix(W), prevKv: true, startRevision: first, watchId: 31n });
  yield* answers('watch: everything, from the beginning', session, { control: 1, events: 7 });
  const { header } = await kv.range(members);
  const now = header?.revision ?? 0n;
  // Unlike any node: a watch of a node from before a removal receives only the final members.
  session.create({ ...members, startRevision: now, watchId: 32n, progressNotify: true });
  yield* answers('watch: from the latest change on', session, { control: 1, events: 1 });
  session.create({ ...members, startRevision: now + 2n, watchId: 33n });
  yield* answers('watch: from a revision to come', session, { control: 1, events: 0 });
  session.progress();
  session.cancel(33n);
  yield* answers('watch: progress and the end of a watch that has not begun', session, {
    control: 1,
    events: 0,
  });
  session.stop();

  await put('d', 4);
  await put('d', 5);
  const last = new WatchSession(watch);
  last.progress();
  last.create({ ...tokenPrefix(W), prevKv: true });
  yield* answers('watch: everything', last, { control: 1, events: 0 });
  await kv.deleteRange(tokenPrefix(W));
  yield* answers('watch: a deleted token', last, { control: 0, events: 4 });
  last.stop();
}

async function* step(name: string, call: Promise<unknown>): AsyncGenerator<Step> {
  try {
    yield { name, answer: plain(await call) };
  } catch (thrown) {
    if (!(thrown instanceof ConnectError)) throw thrown;
    yield { name, answer: { code: thrown.code, message: thrown.rawMessage } };
  }
}

/**
 * Takes responses of a watch: a number of control responses, and those with a number of events. Responses to several
 * watches arrive in any order, and the server chooses how many events each has. They are merged, in the order of the
 * ids.
 */
async function* answers(
  name: string,
  session: WatchSession,
  expected: { readonly control: number; readonly events: number },
): AsyncGenerator<Step> {
  const control: WatchResponse[] = [];
  const withEvents = new Map<bigint, WatchResponse>();
  let events = 0;
  while (control.length < expected.control || events < expected.events) {
    const answer = await session.next();
    events += answer.events.length;
    if (answer.events.length === 0) {
      control.push(answer);
      continue;
    }
    answer.events.unshift(...(withEvents.get(answer.watchId)?.events ?? []));
    withEvents.set(answer.watchId, answer);
  }
  const inOrder = [...withEvents.values()].sort((a, b) => Number(a.watchId - b.watchId));
  yield { name, answer: plain([...control, ...inOrder]) };
}

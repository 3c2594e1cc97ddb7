import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IKeyValue, IRangeRequest } from 'etcd3';
import { issueToken } from '../../../src/discovery/issue-token.ts';
import { type Millis, millis, revision, type Token } from '../../../src/discovery/types.ts';
import { newestPlaces } from '../../../src/store/etcd/list.ts';
import { type KeyRange, Keys } from '../../../src/store/etcd/log/keys.ts';
import { EtcdReader, type ReaderParts } from '../../../src/store/etcd/read.ts';
import { Slices } from '../../../src/store/etcd/slices.ts';

const KEYS = new Keys('/x');
/** Without a fence. */
const PLAIN = { request: {}, fence: () => undefined };
const NOW = 1_796_000_000_000;

/** Sorted keys that are read as etcd does: it looks at every key of the requested range. */
class SortedKeys {
  readonly #keys: readonly Buffer[];
  requests = 0;
  looked = 0;
  most = 0;

  constructor(keys: readonly Buffer[]) {
    this.#keys = keys.toSorted((a, b) => Buffer.compare(a, b));
  }

  readonly read = async ({ key, range_end, limit }: IRangeRequest) => {
    const found = this.#keys.slice(this.#from(key as Buffer), this.#from(range_end as Buffer));
    this.requests += 1;
    this.looked += found.length;
    this.most = Math.max(this.most, found.length);
    const kvs = found.slice(0, Number(limit)).map((each) => ({ key: each }) as IKeyValue);
    return { kvs, more: kvs.length < found.length, count: found.length, revision: revision(1n) };
  };

  #from(key: Buffer): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.#keys[middle] as Buffer, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get all(): readonly string[] {
    return this.#keys.map(String);
  }
}

async function readAll(slices: Slices, limit: number): Promise<string[]> {
  const found: string[] = [];
  while (slices.more) {
    const kvs = await slices.next(limit);
    assert.ok(kvs.length <= limit);
    found.push(...kvs.map(({ key }) => key.toString()));
  }
  return found;
}

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const logOf = (token: Token): Buffer[] => many(4, (i) => KEYS.change(token, i));
const place = (createTime: Millis, i: number): Buffer =>
  KEYS.place('FORMING', { createTime, token: `t${i}` as Token });
const placesSpan = (): KeyRange => KEYS.placesAfter('FORMING', undefined);

const SETS: ReadonlyArray<{
  readonly name: string;
  readonly keys: readonly Buffer[];
  readonly span: KeyRange;
}> = [
  { name: 'no keys', keys: [], span: KEYS.clusters },
  { name: 'one key', keys: [KEYS.made('only' as Token)], span: KEYS.clusters },
  { name: 'issued tokens', keys: many(10_000, () => logOf(issueToken())).flat(), span: KEYS.clusters },
  {
    name: 'tokens that people chose',
    keys: many(10_000, (i) => logOf(`production-cluster-of-team-${i.toString(36)}` as Token)).flat(),
    span: KEYS.clusters,
  },
  {
    name: 'places of a week, with a gap',
    keys: many(20_000, (i) => place(millis(NOW - i * 15_000 - (i > 9000 ? 300_000_000 : 0)), i)),
    span: placesSpan(),
  },
  {
    name: 'places of one moment',
    keys: many(5000, (i) => place(millis(NOW), i)),
    span: placesSpan(),
  },
];

for (const { name, keys, span } of SETS) {
  test(`slices have every key once and in order, and etcd looks at few of them in vain: ${name}`, async () => {
    for (const isWhole of [true, false]) {
      const etcd = new SortedKeys(keys);
      const found = await readAll(new Slices(span, { isWhole, read: etcd.read, ...PLAIN }), 500);
      assert.deepEqual(found, etcd.all);
      assert.ok(etcd.requests < 300 + keys.length / 50, `${etcd.requests} requests`);
      // A page at a time, etcd would look at half of them for each.
      if (!isWhole) assert.ok(etcd.looked <= 8 * keys.length, `looked at ${etcd.looked} of ${keys.length}`);
    }
  });
}

test('with a fence for each beginning of a token, no request looks at more than a small part of all keys', async () => {
  const keys = many(
    20_000,
    (i) => `${((i * 37) % 4096).toString(16).padStart(3, '0')}${issueToken().slice(3)}`,
  );
  const etcd = new SortedKeys(keys.map((token) => KEYS.made(token as Token)));
  const fence = (key: Buffer): Buffer | undefined => KEYS.clusterFence(key, 10_000_000);
  const found = await readAll(
    new Slices(KEYS.clusters, { ...PLAIN, isWhole: false, read: etcd.read, fence }),
    50,
  );
  assert.deepEqual(found, etcd.all);
  assert.ok(etcd.most < 100, `one request looked at ${etcd.most}`);
});

test('the first page of the newest looks at few keys, however many there are', async (t) => {
  // How far a slice reaches after a gap depends on the digits of the time.
  t.mock.timers.enable({ apis: ['Date'], now: NOW });
  const etcd = new SortedKeys(many(100_000, (i) => place(millis(NOW - i * 600 + 60_000), i)));
  const parts = { keys: KEYS, connection: {}, cache: {}, clock: { tick: 0 }, health: {} };
  const reader = new EtcdReader(parts as unknown as ReaderParts, () => 100_000);
  reader.range = async (request) => ({ ...(await etcd.read(request())), tick: 0 });
  const found = await newestPlaces(reader, KEYS, 'FORMING', undefined, 200);
  assert.deepEqual(
    found.map(({ token }) => token),
    many(200, (i) => `t${i}`),
  );
  assert.ok(etcd.looked < 2000, `looked at ${etcd.looked}`);
  assert.ok(etcd.requests < 50, `${etcd.requests} requests`);
});

test('a count whose first endpoint is silent soon asks another, and gives it longer', async () => {
  const limits: number[] = [];
  const txn = async (_: unknown, limitMs: number) => {
    limits.push(limitMs);
    if (limits.length === 1) throw new Error('4 DEADLINE_EXCEEDED: Deadline exceeded');
    return { header: { revision: '7' }, responses: [{ response_range: { count: '3' } }] };
  };
  const reader = new EtcdReader({ connection: { txn } } as unknown as ReaderParts);
  assert.deepEqual(await reader.count(KEYS.ends), { counts: [3], revision: revision(7n) });
  const [first = 0, second = 0] = limits;
  assert.ok(first < 2000 && second > 10_000, limits.join());
});

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { IWatchRequest, IWatchResponse } from 'etcd3';
import type { Revision, Token } from '../../../src/discovery/types.ts';
import { EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { listStoredClusters } from '../../../src/store/etcd/list.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { logOf, type RangeResult } from '../../../src/store/etcd/read.ts';
import { WatchLoop } from '../../../src/store/etcd/watch-loop.ts';

// Stubs stand in for etcd: a real one takes hours, or hundreds of megabytes, to get there.

class Stream extends EventEmitter {
  write({ create_request: create }: IWatchRequest): void {
    this.emit('begun', create?.start_revision);
  }
  say(response: Partial<IWatchResponse>, cluster = '1'): void {
    const header = { cluster_id: cluster, revision: '0' };
    this.emit('data', { events: [], canceled: false, created: false, header, ...response });
  }
  end(): void {}
  cancel(): void {}
}

interface OpenedStream {
  readonly stream: Stream;
  /** The revision from which the stream starts. */
  readonly from: string;
}

interface Setup {
  readonly next: () => Promise<OpenedStream>;
  readonly outages: string[];
  readonly reported: string[];
  readonly loop: WatchLoop;
}

/** `missed` catches up, to revision 90 by default. */
function setUp(t: TestContext, missed = async (): Promise<Revision> => 90n as Revision): Setup {
  const streams = new EventEmitter();
  const [outages, reported]: [string[], string[]] = [[], []];
  const connection = new EtcdConnection({ endpoints: ['http://127.0.0.1:1'] });
  connection.ofOneCluster({ header: { cluster_id: '1', member_id: '1', revision: '1', raft_term: '1' } });
  const loop = new WatchLoop(
    {
      connection: {
        watch: async () => {
          const stream = new Stream();
          stream.once('begun', (from: string) => streams.emit('stream', { stream, from }));
          return stream;
        },
        forgetToken: () => {},
        failed: (error) => error,
        ofOneCluster: (response) => connection.ofOneCluster(response),
      },
      span: new Keys('/x').clusters,
      health: { failed: (cause) => void outages.push(cause), works: () => {} },
      told: (events) => reported.push(...events.map(({ kv }) => kv.mod_revision)),
      missed,
    },
    7n as Revision,
  );
  t.after(async () => {
    await loop.close();
    connection.close();
  });
  const next = async (): Promise<OpenedStream> => {
    const [begun] = (await once(streams, 'stream')) as [OpenedStream];
    return begun;
  };
  return { next, outages, reported, loop };
}

test('a watch whose response is too large catches up by reading', async (t) => {
  const { next } = setUp(t);
  const { stream, from } = await next();
  assert.equal(from, '8');
  stream.emit(
    'error',
    new Error('8 RESOURCE_EXHAUSTED: Received message larger than max (134217729 vs 134217728)'),
  );
  assert.equal((await next()).from, '91');
});

test('a watch closes while it catches up, although etcd does not answer', async (t) => {
  const reads = new EventEmitter();
  const { next, loop } = setUp(t, () => {
    reads.emit('read');
    return new Promise(() => {});
  });
  const { stream } = await next();
  const read = once(reads, 'read');
  stream.emit('error', new Error('8 RESOURCE_EXHAUSTED: Received message larger than max'));
  await read;
  await loop.close();
});

test('a watch on a different cluster than the calls is dropped, and reported as an outage', async (t) => {
  const { next, outages, reported } = setUp(t);
  const event = { type: 'Put', kv: { mod_revision: '50' } } as IWatchResponse['events'][number];
  while (outages.length === 0) {
    const { stream, from } = await next();
    assert.equal(from, '8');
    stream.say({ created: true }, '2');
    stream.say({ events: [event] }, '2');
  }
  assert.match(outages[0] ?? '', /do not belong to one etcd cluster; check --etcd/);
  assert.deepEqual(reported, []);
  const { stream } = await next();
  stream.say({ created: true });
  stream.say({ events: [event] });
  assert.deepEqual(reported, ['50']);
});

test('streams that end now and then without an event are not an outage', async (t) => {
  const clock = { ms: performance.now() };
  t.mock.method(performance, 'now', () => clock.ms);
  const { next, outages } = setUp(t);
  for (let i = 0; i < 12; i++) {
    const { stream } = await next();
    stream.say({ created: true });
    clock.ms += 60_000;
    stream.emit('error', new Error('14 UNAVAILABLE: Connection dropped'));
  }
  await next();
  assert.deepEqual(outages, []);
});

test('a page of keys whose only token was swept meanwhile does not end the list', async () => {
  const keys = new Keys('/x');
  const [gone, there] = ['a', 'b'] as Token[] as [Token, Token];
  const made = {
    nonce: 'n',
    size: 3,
    description: '',
    allowRejoin: false,
    createTime: 1,
    expireTime: 2,
  };
  const page = (key: Buffer, more: boolean): RangeResult =>
    ({
      kvs: [{ key, value: Buffer.from(JSON.stringify(made)), mod_revision: '5' }],
      more,
      revision: 9n,
    }) as unknown as RangeResult;
  const reader = {
    page: async ({ key }: { readonly key: Buffer }) =>
      key.equals(keys.clusters.key) ? page(keys.made(gone), true) : page(keys.made(there), false),
    history: async () => ({ folded: undefined, revision: 9n as Revision }),
  };
  const clusters = await listStoredClusters(reader, keys, undefined, 10);
  assert.deepEqual(
    clusters.map(({ token }) => token),
    [there],
  );
});

test('a short list reads few keys, and a long one reads a page', async () => {
  const limits: unknown[] = [];
  const reader = {
    page: async (_: unknown, { limit }: { readonly limit: number }) => {
      limits.push(limit);
      return { kvs: [], more: false };
    },
    history: async () => ({ folded: undefined, revision: 9n as Revision }),
  };
  for (const wanted of [25, 1000]) await listStoredClusters(reader, new Keys('/x'), undefined, wanted);
  assert.deepEqual(limits, [200, 2000]);
});

test('a foreign key among the changes of a token is rejected, and the error does not show the token', () => {
  const keys = new Keys('/x');
  const key = Buffer.concat([keys.made('0123456789abcdef' as Token), Buffer.from('#mine')]);
  const kvs = [{ key, value: Buffer.from('{}'), mod_revision: '5' }] as unknown as RangeResult['kvs'];
  assert.throws(
    () => logOf(keys, kvs),
    ({ message }: Error) => /not written by this service; restore/.test(message) && !/0123/.test(message),
  );
});

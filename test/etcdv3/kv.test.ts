import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import {
  KV,
  type RangeRequest_SortOrder as Order,
  Compare_CompareResult as Result,
  type RangeRequest_SortTarget as Target,
  type TxnResponse,
  Compare_CompareTarget as What,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { slow } from '../slow.ts';
import { rejectionMessage, type Served, serve } from './cluster.ts';
import {
  bytes,
  infraValue,
  memberKey,
  membersPrefix,
  plain,
  prefix,
  REGISTRY,
  sizeKey,
  text,
  tokenPrefix,
} from './etcd.ts';

let served: Served;
before(async () => {
  served = await serve({ minTtl: 1 });
});
after(() => served.service.stop());

/** Puts a key if it is at a mod revision; 0 means that the key does not exist. */
function putAt(
  key: Uint8Array<ArrayBuffer>,
  at: bigint,
  value: Uint8Array<ArrayBuffer>,
): Promise<TxnResponse> {
  return served.kv.txn({
    compare: [
      { key, target: What.MOD, result: Result.EQUAL, targetUnion: { case: 'modRevision', value: at } },
    ],
    success: [{ request: { case: 'requestPut', value: { key, value } } }],
    failure: [{ request: { case: 'requestRange', value: { key } } }],
  });
}

suite('headers', () => {
  test('name the same cluster and member everywhere, and never go back', async () => {
    const token = await served.token();
    const { kv, maintenance, cluster, auth } = served;
    const answers = [
      await kv.range({ key: sizeKey('nowhere') }),
      await kv.put({ key: memberKey(token, 'm1'), value: infraValue(1) }),
      await kv.range(tokenPrefix(token)),
      await kv.deleteRange({ key: memberKey(token, 'm1') }),
      await kv.range({ key: bytes('health') }),
      await maintenance.status({}),
      await maintenance.alarm({}),
      await cluster.memberList({}),
      await auth.authStatus({}),
    ];
    const headers = answers.map(({ header }) => header);
    const ids = new Set(
      headers.map((header) => `${header?.clusterId} ${header?.memberId} ${header?.raftTerm}`),
    );
    assert.equal(ids.size, 1);
    assert.doesNotMatch([...ids].join(), /\b0\b|undefined/);
    const revisions = headers.map((header) => header?.revision ?? -1n);
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => Number(a - b)),
    );
    assert.ok((revisions[0] ?? 0n) > 0n);
  });
});

suite('reads', () => {
  test('of a token include standbys, like every node', async () => {
    const token = await served.token(1);
    for (const i of [1, 2, 3]) await served.join(token, i);
    const { kvs } = await served.kv.range(membersPrefix(token));
    assert.deepEqual(
      kvs.map(({ key }) => text(key)),
      [1, 2, 3].map((i) => `${REGISTRY}${token}/members/m${i}`),
    );
  });

  test('of an expired token are rejected with an error message', async () => {
    const { cluster } = await served.service.client.createToken({
      size: 1,
      ttl: { seconds: 0n, nanos: 1e6 },
    });
    const token = cluster?.token ?? '';
    for (;;) {
      const { cluster } = await served.service.client.getCluster({ token });
      if (cluster?.state === 3) break;
    }
    const words = await rejectionMessage(served.kv.range(tokenPrefix(token)), Code.FailedPrecondition);
    assert.match(words, /^the token expired .* ago with .* registered.*; reopen it .*, or create a new one$/);
  });

  test('of an invalid token are rejected with an error message', async () => {
    const words = await rejectionMessage(served.kv.range(prefix(`${REGISTRY}a b/`)), Code.InvalidArgument);
    assert.match(words, /^a token must have 1 to 128 letters/);
  });

  test('at a revision return the current state until the token changes', async () => {
    const token = await served.token();
    const revision = await served.join(token, 1);
    const other = await served.token();
    await served.join(other, 1);
    const { kvs } = await served.kv.range({ ...membersPrefix(token), revision });
    assert.equal(kvs.length, 1);
    await served.join(token, 2);
    const words = await rejectionMessage(
      served.kv.range({ ...membersPrefix(token), revision }),
      Code.OutOfRange,
    );
    assert.equal(words, 'etcdserver: mvcc: required revision has been compacted');
  });
});

suite('puts', () => {
  test('of one member in parallel all succeed, and the last one stays', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    const values = Array.from({ length: 40 }, (_, i) => `infra1=http://10.0.1.${i}:2380`);
    const puts = await Promise.all(values.map((value) => served.kv.put({ key, value: bytes(value) })));
    const last = puts.reduce((a, b) => ((a.header?.revision ?? 0n) > (b.header?.revision ?? 0n) ? a : b));
    const { kvs } = await served.kv.range({ key });
    assert.equal(text(kvs[0]?.value ?? bytes('')), values[puts.indexOf(last)]);
    assert.equal(kvs[0]?.version, 40n);
    assert.equal(kvs[0]?.modRevision, last.header?.revision);
  });

  test('repeated by a node keep its rank and its revisions', async () => {
    const token = await served.token();
    const revision = await served.join(token, 1);
    await served.join(token, 2);
    await served.join(token, 1);
    const { kvs } = await served.kv.range({ key: memberKey(token, 'm1') });
    assert.deepEqual(plain(kvs), [
      {
        key: `${REGISTRY}${token}/members/m1`,
        value: 'infra1=http://10.0.0.1:2380',
        createRevision: Number(revision),
        modRevision: Number(revision),
        version: 1,
      },
    ]);
  });

  test('with the address of another node do not affect that node', async () => {
    const token = await served.token();
    await served.join(token, 1);
    const key = memberKey(token, 'm1');
    const words = await rejectionMessage(
      served.kv.put({ key, value: bytes('other=http://10.0.0.1:2380') }),
      Code.FailedPrecondition,
    );
    assert.match(words, /the peer URL http:\/\/10\.0\.0\.1:2380 is taken by the member 'infra1'/);
    assert.equal(text((await served.kv.range({ key })).kvs[0]?.value ?? bytes('')), text(infraValue(1)));
  });

  test('of a custom token are rejected where they are off', async (t) => {
    const strict = await serve({ customTokens: false });
    t.after(() => strict.service.stop());
    const words = await rejectionMessage(strict.token(), Code.PermissionDenied);
    assert.match(words, /does not accept custom tokens/);
  });
});

suite('deletions', () => {
  test('of all members remove each member once, also in parallel', async () => {
    const token = await served.token(6);
    for (const i of [1, 2, 3, 4, 5]) await served.join(token, i);
    const answers = await Promise.all(
      [1, 2, 3].map(() => served.kv.deleteRange({ ...membersPrefix(token), prevKv: true })),
    );
    const gone = answers.flatMap(({ prevKvs }) => prevKvs.map(({ key }) => text(key))).sort();
    assert.deepEqual(
      gone,
      [1, 2, 3, 4, 5].map((i) => `${REGISTRY}${token}/members/m${i}`),
    );
    assert.equal(
      answers.reduce((sum, { deleted }) => sum + deleted, 0n),
      5n,
    );
  });

  test('of many members return them in the order of their keys, at the revision of the last removal', async () => {
    const token = await served.token(61);
    const members = Array.from({ length: 60 }, (_, i) => i + 1);
    await Promise.all(members.map((i) => served.join(token, i)));
    const { kvs } = await served.kv.range(membersPrefix(token));
    const { prevKvs, header } = await served.kv.deleteRange({ ...membersPrefix(token), prevKv: true });
    assert.deepEqual(prevKvs.map(plain), kvs.map(plain));
    const after = await served.kv.range(membersPrefix(token));
    assert.equal(after.count, 0n);
    assert.equal(header?.revision, after.header?.revision);
  });

  test('of the members of a complete cluster are rejected before any is removed, and standbys can be removed', async () => {
    const token = await served.token(2);
    for (const i of [3, 2, 1]) await served.join(token, i);
    const before = await served.kv.range(membersPrefix(token));
    for (const range of [membersPrefix(token), { key: memberKey(token, 'm2') }]) {
      const words = await rejectionMessage(served.kv.deleteRange(range), Code.FailedPrecondition);
      assert.match(words, /the cluster is complete, .* etcdctl member remove/);
    }
    const after = await served.kv.range(membersPrefix(token));
    assert.deepEqual(after.kvs.map(plain), before.kvs.map(plain));
    assert.equal((await served.kv.deleteRange({ key: memberKey(token, 'm1') })).deleted, 1n);
  });

  test('of a token return everything that it removed', async () => {
    const token = await served.token(5);
    await served.join(token, 1);
    const joining = Promise.allSettled([2, 3, 4, 5].map((i) => served.join(token, i)));
    const { deleted, prevKvs } = await served.kv.deleteRange({ ...tokenPrefix(token), prevKv: true });
    const joined = (await joining).filter(({ status }) => status === 'fulfilled').length;
    assert.equal(deleted, BigInt(2 + joined));
    assert.equal(prevKvs.length, 2 + joined);
  });
});

suite('transactions', () => {
  test('that create one key, 50 in parallel, succeed once, and the others read it', async () => {
    const token = await served.token();
    for (const key of [memberKey(token, 'm1'), sizeKey(`${token}-made`)]) {
      const isSize = text(key).endsWith('size');
      const answers = await Promise.all(
        // Names, and URLs too, that conflict.
        Array.from({ length: 50 }, (_, i) =>
          putAt(key, 0n, isSize ? bytes(String(i + 1)) : bytes(`infra${i}=http://10.0.0.${i % 7}:2380`)),
        ),
      );
      const winners = answers.filter(({ succeeded }) => succeeded);
      assert.equal(winners.length, 1);
      const revision = winners[0]?.header?.revision;
      const { kvs } = await served.kv.range({ key });
      assert.equal(kvs[0]?.createRevision, revision);
      for (const { responses } of answers.filter(({ succeeded }) => !succeeded)) {
        const [read] = responses;
        assert.equal(read?.response.case, 'responseRange');
        assert.deepEqual(read.response.value.kvs, kvs);
      }
    }
  });

  test('that create one key with the same value in parallel do not count as repeats of each other', async () => {
    const token = await served.token();
    for (const [key, value] of [
      [memberKey(token, 'm1'), infraValue(1)],
      [sizeKey(`${token}-made`), bytes('3')],
    ] as const) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => putAt(key, 0n, value)));
      assert.equal(answers.filter(({ succeeded }) => succeeded).length, 1);
    }
  });

  test('that compare and put in a loop lose no update', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    const writers = 6;
    const rounds = slow ? 10 : 3;
    // The port in the member's URL is the counter.
    await served.kv.put({ key, value: bytes('infra1=http://10.0.0.1:1') });
    const count = async (): Promise<void> => {
      for (let done = 0; done < rounds; ) {
        const { kvs } = await served.kv.range({ key });
        const [kv] = kvs;
        assert.ok(kv);
        const next = text(kv.value).replace(/\d+$/, (port) => String(Number(port) + 1));
        const { succeeded } = await putAt(key, kv.modRevision, bytes(next));
        if (succeeded) done += 1;
      }
    };
    await Promise.all(Array.from({ length: writers }, count));
    const { kvs } = await served.kv.range({ key });
    assert.equal(text(kvs[0]?.value ?? bytes('')), `infra1=http://10.0.0.1:${writers * rounds + 1}`);
    assert.equal(kvs[0]?.version, BigInt(writers * rounds + 1));
  });

  test('whose comparison holds fail with the reason if the put is rejected', async () => {
    const token = await served.token();
    await served.join(token, 1);
    const words = await rejectionMessage(
      putAt(memberKey(token, 'm2'), 0n, infraValue(1)),
      Code.FailedPrecondition,
    );
    assert.match(words, /^the name 'infra1' is taken/);
  });

  test('that put one key and read another are rejected by name', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    const words = await rejectionMessage(
      served.kv.txn({
        success: [
          { request: { case: 'requestPut', value: { key, value: infraValue(1) } } },
          { request: { case: 'requestRange', value: membersPrefix(token) } },
        ],
      }),
      Code.Unimplemented,
    );
    assert.match(words, /^a transaction that puts one key and reads others is not supported/);
    assert.equal((await served.kv.range({ key })).count, 0n);
  });

  test('with a rejected operation on either side change nothing', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    await rejectionMessage(
      served.kv.txn({
        success: [{ request: { case: 'requestPut', value: { key, value: infraValue(1) } } }],
        failure: [{ request: { case: 'requestDeleteRange', value: { key } } }],
      }),
      Code.Unimplemented,
    );
    await rejectionMessage(
      served.kv.txn({
        success: [{ request: { case: 'requestPut', value: { key, value: infraValue(1) } } }],
        failure: [{ request: { case: 'requestPut', value: { key, value: infraValue(1), lease: 1n } } }],
      }),
      Code.Unimplemented,
    );
    assert.equal((await served.kv.range({ key })).count, 0n);
  });

  test('with a rejected read write nothing', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    const { header } = await served.kv.range({ key });
    const future = (header?.revision ?? 0n) + 100n;
    for (const [read, code] of [
      [{ revision: future }, Code.OutOfRange],
      [{ revision: 1n }, Code.OutOfRange],
      [{ sortOrder: 9 as Order }, Code.InvalidArgument],
      [{ sortTarget: 9 as Target }, Code.InvalidArgument],
    ] as const) {
      const success = [
        { request: { case: 'requestPut' as const, value: { key, value: infraValue(1) } } },
        { request: { case: 'requestRange' as const, value: { key, ...read } } },
      ];
      await rejectionMessage(served.kv.txn({ success }), code);
      assert.equal((await served.kv.range({ key })).count, 0n);
    }
  });

  test('with a read before a put return the previous state at its revision', async () => {
    const token = await served.token();
    const key = memberKey(token, 'm1');
    const revision = await served.join(token, 1);
    const { responses } = await served.kv.txn({
      success: [
        { request: { case: 'requestPut', value: { key, value: infraValue(2) } } },
        { request: { case: 'requestRange', value: { key, revision } } },
      ],
    });
    const answer = responses[1]?.response;
    assert.ok(answer?.case === 'responseRange');
    assert.deepEqual(answer.value.kvs[0]?.value, infraValue(1));
    assert.equal(answer.value.header?.revision, revision + 1n);
  });

  test("with more operations than etcd accepts are rejected with etcd's message", async () => {
    const key = memberKey(await served.token(), 'm1');
    const reads = (count: number) =>
      Array.from({ length: count }, () => ({ request: { case: 'requestRange' as const, value: { key } } }));
    const compares = Array.from({ length: 129 }, () => ({ key }));
    assert.equal((await served.kv.txn({ success: reads(128) })).responses.length, 128);
    for (const request of [{ success: reads(129) }, { failure: reads(129) }, { compare: compares }]) {
      const words = await rejectionMessage(served.kv.txn(request), Code.InvalidArgument);
      assert.equal(words, 'etcdserver: too many operations in txn request');
    }
  });

  test('do not repeat a list many times', async () => {
    const token = await served.token(100);
    await Promise.all(Array.from({ length: 99 }, (_, i) => served.join(token, i + 1)));
    const reads = (count: number) =>
      Array.from({ length: count }, () => ({
        request: { case: 'requestRange' as const, value: tokenPrefix(token) },
      }));
    assert.equal((await served.kv.txn({ success: reads(40) })).responses.length, 40);
    const words = await rejectionMessage(served.kv.txn({ success: reads(41) }), Code.InvalidArgument);
    assert.match(words, /^the reads of a transaction can return at most 4000 keys/);
  });

  test('across two tokens are rejected', async () => {
    const [one, two] = [await served.token(), await served.token()];
    const words = await rejectionMessage(
      served.kv.txn({
        success: [
          { request: { case: 'requestRange', value: { key: sizeKey(one) } } },
          { request: { case: 'requestRange', value: { key: sizeKey(two) } } },
        ],
      }),
      Code.PermissionDenied,
    );
    assert.match(words, /only the keys of one token/);
  });
});

suite('other protocols', () => {
  test('Connect and gRPC-Web reach the same keys over HTTP/1.1', async () => {
    const token = await served.token();
    await served.join(token, 1);
    const baseUrl = served.service.url;
    for (const transport of [
      createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
      createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
    ]) {
      const { kvs } = await createClient(KV, transport).range(membersPrefix(token));
      assert.equal(text(kvs[0]?.value ?? bytes('')), text(infraValue(1)));
    }
  });
});

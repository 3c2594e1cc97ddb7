import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromJson, type JsonObject, type Message, toJson } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ListClustersRequestSchema, ListClustersResponseSchema } from '../../gen/discovery/v1/operator_pb.ts';
import { CreateTokenRequestSchema, ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import { apiJson, fromJson as read, toJson as written } from '../../src/cli/api/json.ts';

// Protobuf's own JSON is the reference for that of the tables.

const TIMES = ['2026-11-30T02:15:29.654Z', '1969-12-31T23:59:59.000000001Z', '2026-11-30T02:15:29Z'];
const LISTS: readonly JsonObject[] = [
  {},
  {
    cluster: {
      token: 'a"\u2028',
      size: 4_294_967_295,
      state: 'CLUSTER_STATE_COMPLETE',
      createTime: TIMES[0] ?? '',
      expireTime: TIMES[1] ?? '',
      deleteTime: TIMES[2] ?? '',
      modRevision: '18446744073709551615',
      guard: ['ACCESS_READ', 'ACCESS_ADMINISTER', 77],
      warnings: [{ kind: 'WARNING_KIND_UNSPECIFIED', members: ['a', 'b'], text: 'x' }, {}],
      formed: true,
    },
    members: [
      { id: 'a', peerUrls: ['http://a', 'http://b'], registerTime: '2026-11-30T04:15:29.5+02:00' },
      {},
    ],
    initialCluster: 'a=b',
    revision: 7,
    newerField: { of: ['the service'] },
  },
  { cluster: null, members: null, standbys: [{ version: '3' }] },
];

test('messages are read and written as protobuf does', () => {
  for (const json of LISTS) {
    const expected = fromJson(ListMembersResponseSchema, json, { ignoreUnknownFields: true });
    const message = read(ListMembersResponseSchema.typeName, json) as Message & { $typeName: string };
    const all = { alwaysEmitImplicit: true };
    assert.deepEqual(apiJson(message), toJson(ListMembersResponseSchema, expected, all));
    assert.deepEqual(apiJson(expected), toJson(ListMembersResponseSchema, expected, all));
  }
  const page = { clusters: [{ token: 'a', waitingSince: '2026-11-30T02:15:29.65Z' }], nextPageToken: 'p' };
  const listed = read(ListClustersResponseSchema.typeName, page) as Message;
  const expected = fromJson(ListClustersResponseSchema, page);
  assert.deepEqual(
    apiJson(listed),
    toJson(ListClustersResponseSchema, expected, { alwaysEmitImplicit: true }),
  );
});

test('requests say what was given, and leave the rest to the service', () => {
  const { typeName } = CreateTokenRequestSchema;
  assert.deepEqual(written(typeName, { size: 3, ttl: undefined, guard: [1] }), {
    size: 3,
    guard: ['ACCESS_READ'],
  });
  for (const ms of [0, 1, 1500, 86_400_000, -1500]) {
    const request = create(ListClustersRequestSchema, { assemblingFor: durationFromMs(ms) });
    const { assemblingFor } = toJson(ListClustersRequestSchema, request) as JsonObject;
    assert.deepEqual(written(ListClustersRequestSchema.typeName, request)['assemblingFor'], assemblingFor);
  }
});

test('JSON that is not such a message is refused', () => {
  const { typeName } = ListMembersResponseSchema;
  const wrong: readonly unknown[] = [
    null,
    [],
    'x',
    { members: {} },
    { members: [null] },
    { cluster: { size: '3' } },
  ];
  for (const json of [
    ...wrong,
    { cluster: { createTime: 'x' } },
    { revision: '-1' },
    { initialCluster: 1 },
  ]) {
    assert.throws(() => read(typeName, json), /^Error: invalid JSON for /, JSON.stringify(json));
  }
});

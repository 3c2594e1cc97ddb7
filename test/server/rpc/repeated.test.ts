import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type RangeRequest, RangeRequestSchema } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { repeatedly } from '../../../src/server/rpc/repeated.ts';

function bytesOf(key: string, rangeEnd = ''): Uint8Array {
  const request = create(RangeRequestSchema, { key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) });
  return toBinary(RangeRequestSchema, request);
}

const repeatedRanges = (): ((bytes: Uint8Array) => RangeRequest) =>
  repeatedly((bytes) => fromBinary(RangeRequestSchema, bytes)) as (bytes: Uint8Array) => RangeRequest;

const keyOf = ({ key }: RangeRequest): string => Buffer.from(key).toString();

test('the same bytes are decoded once', () => {
  const decode = repeatedRanges();
  assert.equal(decode(bytesOf('one')), decode(bytesOf('one')));
});

test('each request gets its own message, however many others there were', () => {
  const decode = repeatedRanges();
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 2000; i += 1) {
      const bytes = bytesOf(`key ${i}\u00ff`, `${i % 7}`);
      assert.deepEqual(decode(bytes), fromBinary(RangeRequestSchema, bytes));
    }
  }
});

test('a message that is kept does not change with the buffer that it came in', () => {
  const decode = repeatedRanges();
  const read = bytesOf('before');
  const message = decode(read);
  read.fill(0xff);
  assert.equal(keyOf(message), 'before');
  assert.equal(keyOf(decode(bytesOf('before'))), 'before');
});

test('long messages are not kept', () => {
  const decode = repeatedRanges();
  const long = bytesOf('x'.repeat(1000));
  assert.notEqual(decode(long), decode(long));
});

test('bytes that are no message are refused each time', () => {
  const decode = repeatedRanges();
  const wrong = Uint8Array.of(0x0a, 0xff, 0xff);
  for (let round = 0; round < 2; round += 1) assert.throws(() => decode(wrong));
});

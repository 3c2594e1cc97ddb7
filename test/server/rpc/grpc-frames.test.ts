import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { FrameSplitter } from '../../../src/server/rpc/grpc-frames.ts';

const MESSAGES = ['', 'a', 'a longer message', ''].map((text) => Buffer.from(text));
const BODY = Buffer.concat(MESSAGES.map((message) => encodeEnvelope(0, message)));

suite('FrameSplitter', () => {
  test('returns the same messages however the body is cut', () => {
    for (let size = 1; size <= BODY.length; size += 1) {
      const frames = new FrameSplitter(16);
      const found: string[] = [];
      for (let at = 0; at < BODY.length; at += size) {
        frames.add(BODY.subarray(at, at + size));
        for (let next = frames.next(); next !== undefined; next = frames.next()) {
          found.push(Buffer.from(next).toString());
        }
      }
      assert.deepEqual(found, MESSAGES.map(String), `in pieces of ${size}`);
      assert.equal(frames.hasRest, false);
    }
  });

  test('a message does not hold the memory of the piece that it came in', () => {
    const frames = new FrameSplitter(16);
    frames.add(BODY);
    frames.next();
    assert.equal(frames.next()?.buffer.byteLength, 1);
  });

  test('an incomplete message is a rest', () => {
    const frames = new FrameSplitter(16);
    frames.add(BODY.subarray(0, -1));
    while (frames.next() !== undefined);
    assert.equal(frames.hasRest, true);
  });

  test('a message above the limit is rejected by its length alone', () => {
    const frames = new FrameSplitter(15);
    frames.add(encodeEnvelope(0, new Uint8Array(16)).subarray(0, 5));
    assert.throws(() => frames.next(), hasCode(Code.ResourceExhausted));
  });

  test('a compressed message is rejected', () => {
    const frames = new FrameSplitter(16);
    frames.add(encodeEnvelope(1, new Uint8Array(1)));
    assert.throws(() => frames.next(), hasCode(Code.Internal));
  });
});

function hasCode(code: Code): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ConnectError && thrown.code === code;
}

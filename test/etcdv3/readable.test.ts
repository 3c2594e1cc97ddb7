import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { Code } from '@connectrpc/connect';
import { V3_WATCH } from '../../src/etcdv3/gateway.ts';
import { startStack } from './stack.ts';

/** A field with an invalid wire type. */
const GARBAGE = Buffer.from([0x2f, 0x01]);
const GRPC_FRAME = Buffer.concat([Buffer.from([0, 0, 0, 0, GARBAGE.length]), GARBAGE]);

for (const type of ['application/grpc', 'application/grpc-web+proto']) {
  test(`a watch request over ${type} that is not protobuf is a client error`, async (t) => {
    const stack = await startStack();
    t.after(() => stack.close());
    const session = connect(stack.url);
    t.after(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': V3_WATCH,
      'content-type': type,
      te: 'trailers',
    });
    let received = '';
    const note = (headers: Record<string, unknown>): void => {
      received += Object.entries(headers)
        .map(([name, value]) => `${name}:${String(value)}\n`)
        .join('');
    };
    stream.on('response', note).on('trailers', note);
    stream.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    stream.end(GRPC_FRAME);
    await once(stream, 'close');
    assert.match(received, new RegExp(`grpc-status: ?${Code.InvalidArgument}\\b`));
    assert.deepEqual(stack.defects, []);
  });
}

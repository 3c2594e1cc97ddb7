import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { WatchMembersRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient } from '../../src/client/node.ts';
import {
  calling,
  cancel,
  ERROR,
  FLAG,
  frame,
  HELLO,
  headers,
  parseFrames,
  TYPE,
  uint32,
} from '../port/support/frames.ts';
import { BoundedService } from './support/bounded.ts';

const WATCH = calling('/discovery.v1.DiscoveryService/WatchMembers');
/** Sent after the first message of each stream: each ends the stream or the connection in another way. */
const ENDINGS = {
  'a cancellation': cancel,
  'a reset for another reason': (stream: number) =>
    frame(TYPE.RST_STREAM, FLAG.NONE, stream, uint32(ERROR.INTERNAL_ERROR)),
  'data after the end of the body': (stream: number) =>
    frame(TYPE.DATA, FLAG.NONE, stream, Buffer.alloc(100)),
  'a window above the maximum': (stream: number) =>
    frame(TYPE.WINDOW_UPDATE, FLAG.NONE, stream, uint32(0x7fffffff)),
  'the end of the connection': (stream: number) =>
    stream < 101 ? Buffer.alloc(0) : frame(TYPE.GOAWAY, FLAG.NONE, 0, Buffer.concat([uint32(0), uint32(1)])),
};

test('hundreds of watches on one connection that end at their first message leave the process healthy', async (t) => {
  const service = await BoundedService.start();
  t.after(() => service.remove());
  const { cluster } = await createDiscoveryClient(service.url).createToken({ size: 3 });
  assert.ok(cluster !== undefined);
  for (const [index, [name, ending]] of Object.entries(ENDINGS).entries()) {
    await t.test(`by ${name}`, async () => {
      // A new address each time: a client that was cut off is rejected for a while.
      const from = `127.0.0.${2 + index}`;
      await service.servesDuring(() => attack({ port: service.port, from, token: cluster.token, ending }));
      await service.assertWell();
    });
  }
});

interface Attack {
  readonly port: number;
  readonly from: string;
  readonly token: string;
  readonly ending: (stream: number) => Uint8Array;
}

/** Runs until it is cut off or every stream has received its first message. */
async function attack({ port, from, token, ending }: Attack): Promise<void> {
  const message = toBinary(WatchMembersRequestSchema, create(WatchMembersRequestSchema, { token }));
  const body = Buffer.concat([Buffer.of(0), uint32(message.length), message]);
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  const begun = Array.from({ length: 300 }, (_, index) => 2 * index + 1);
  const waiting = new Set(begun);
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (const { type, stream, payload } of parseFrames(rest)) {
      rest = rest.subarray(9 + payload.length);
      if (type === TYPE.DATA && waiting.delete(stream)) socket.write(ending(stream));
    }
    if (waiting.size === 0) socket.end();
  });
  const streams = begun.flatMap((stream) => [
    headers(stream, WATCH, FLAG.END_HEADERS),
    frame(TYPE.DATA, FLAG.END_STREAM, stream, body),
  ]);
  socket.write(Buffer.concat([HELLO, frame(TYPE.SETTINGS, FLAG.ACK, 0), ...streams]));
  await closed;
}

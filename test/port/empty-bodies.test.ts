import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';
import { calling, FLAG, frame, headers, TYPE } from './support/frames.ts';
import { RawHttp2Client } from './support/http2.ts';

/** More than one turn of the event loop begins: the others wait, and their bodies end meanwhile. */
const CALLS = 40;

test('many simultaneous calls with empty bodies all get responses', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  const client = await RawHttp2Client.connect(service.port);
  t.after(() => client.destroy());
  const streams = Array.from({ length: CALLS }, (_, index) => 2 * index + 1);
  const head = calling('/discovery.v1.DiscoveryService/ListMembers');
  client.raw.send(
    Buffer.concat(
      streams.flatMap((stream) => [
        headers(stream, head, FLAG.END_HEADERS),
        frame(TYPE.DATA, FLAG.END_STREAM, stream),
      ]),
    ),
  );
  const answered = (): number[] =>
    client.frames
      .filter(({ type, flags }) => type === TYPE.HEADERS && (flags & FLAG.END_STREAM) !== 0)
      .map(({ stream }) => stream);
  await client.raw.until('all responses', () => answered().length === CALLS, 20_000);
  assert.deepEqual(
    answered().toSorted((a, b) => a - b),
    streams,
  );
});

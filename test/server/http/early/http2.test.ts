import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { after, before, suite, test } from 'node:test';
import { slow } from '../../../slow.ts';
import { type RunningService, startService } from '../../../support/service.ts';
import { EARLY_ROWS, type EarlyRow } from './rows.ts';

let service: RunningService;
let session: ClientHttp2Session;
before(async () => {
  service = await startService();
  // Bytes that a reset leaves unsent count against the memory of a Node.js client forever.
  session = connect(service.url, { maxSessionMemory: 1000 });
});
after(async () => {
  session.close();
  await service.stop();
});

/** In a long run, enough to exceed the initial window of a connection if none of it were returned. */
const TIMES = slow ? 3 : 1;
/** Rows that differ over HTTP/2. Those of the port are about HTTP/1.1 headers. */
const STATUS: Readonly<Record<string, number>> = {
  'a bidirectional stream': 200,
};

/** Sends a request on a stream that the client does not end. Returns the status and how the stream ended. */
async function ask({
  start,
  headers,
  body,
  needs,
}: EarlyRow): Promise<{ status: unknown; code: number | undefined }> {
  const [method = '', path = ''] = start.split(' ');
  const stream = session.request(
    {
      ':method': method,
      ':path': path,
      ...Object.fromEntries(headers.map((line) => line.toLowerCase().split(': ') as [string, string])),
    },
    { endStream: false },
  );
  stream.on('error', () => {});
  const whole = needs === body.length;
  if (whole) stream.end(body);
  else stream.write(body);
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  // Does not wait for the end of the body: a client that still sends sees the reset as an error.
  stream.resume();
  if (!stream.closed) await once(stream, 'close');
  return { status: head[':status'], code: stream.rstCode };
}

for (const [surface, rows] of Object.entries(EARLY_ROWS)) {
  if (surface === 'port') continue;
  suite(`an early response ends its HTTP/2 stream, and others continue: ${surface}`, () => {
    for (const row of rows.filter(({ chunked }) => chunked !== true)) {
      test(row.name, async () => {
        for (let time = 0; time < TIMES; time += 1) {
          const { status, code } = await ask(row);
          assert.equal(status, STATUS[row.name] ?? row.status);
          assert.equal(code, constants.NGHTTP2_NO_ERROR);
        }
        const next = session.request({ ':path': '/livez' });
        const [head] = (await once(next, 'response')) as [IncomingHttpHeaders];
        assert.equal(head[':status'], 200);
        next.resume();
      });
    }
  });
}

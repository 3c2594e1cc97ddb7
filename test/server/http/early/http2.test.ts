import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { after, before, suite, test } from 'node:test';
import { type RunningService, startService } from '../../../support/service.ts';
import { EARLY_ROWS, type EarlyRow } from './rows.ts';

let service: RunningService;
let session: ClientHttp2Session;
before(async () => {
  service = await startService();
  // What a stream is reset with unsent counts for ever to the memory of a client of Node.js.
  session = connect(service.url, { maxSessionMemory: 1000 });
});
after(async () => {
  session.close();
  await service.stop();
});

/** More than the window that a connection begins with has room for, were none of it given back. */
const TIMES = 3;
/** Those of the port are about the head of HTTP/1.1, and these have another answer over HTTP/2. */
const STATUS: Readonly<Record<string, number>> = {
  'a stream in both directions': 200,
};

/** Asks on a stream that the client does not end. Returns the status and how the stream ended. */
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
  // Not to its end: to a client that still sends, the reset is none in order.
  stream.resume();
  if (!stream.closed) await once(stream, 'close');
  return { status: head[':status'], code: stream.rstCode };
}

for (const [surface, rows] of Object.entries(EARLY_ROWS)) {
  if (surface === 'port') continue;
  suite(`an answer before the end of the body ends its stream over HTTP/2, and others go on: ${surface}`, () => {
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

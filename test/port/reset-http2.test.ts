import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { openPlainPort } from './support/plain.ts';

/** More than a client has room for, unless it reads. */
const LARGE = Buffer.alloc(1_000_000);

for (const [what, leaves] of [
  ['is reset with no error while it is sent is over', false],
  ['is reset so as its connection closes is over', true],
] as const) {
  test(`an answer over HTTP/2 that ${what}`, async (t) => {
    const port = await openPlainPort((_, response) => void response.end(LARGE));
    t.after(() => port.drain(0));
    const session = connect(`http://127.0.0.1:${port.port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    await once(stream, 'response');
    stream.close();
    if (leaves) session.destroy();
    await waitFor('the request to be over', () => port.requests() === 0);
  });
}

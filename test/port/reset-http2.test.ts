import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { openPlainPort } from './support/plain.ts';

/** More than a client buffers without reading. */
const LARGE = Buffer.alloc(1_000_000);

for (const [what, leaves] of [
  ['is reset without an error while it is sent ends', false],
  ['is reset while its connection closes ends', true],
] as const) {
  test(`a response over HTTP/2 that ${what}`, async (t) => {
    const port = await openPlainPort((_, response) => void response.end(LARGE));
    t.after(() => port.drain(0));
    const session = connect(`http://127.0.0.1:${port.port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    await once(stream, 'response');
    stream.close();
    if (leaves) session.destroy();
    await waitFor('the request to end', () => port.requests() === 0);
  });
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { PortHandler } from '../../src/port/port.ts';
import { waitFor } from '../support/wait.ts';
import { CA, IDENTITY } from '../tls/files.ts';
import { handleRow, openPlainPort, SHORT } from './support/plain.ts';

/** More than the buffers of two sockets hold. */
const LARGE = Buffer.alloc(20_000_000);
/** The proxy forwards bytes of this many ms together, so that the port reads both records at once. */
const GATHER_MS = 20;

test('a body that arrives over TLS while the last response waits for the client is read', async (t) => {
  let isWaiting = false;
  const handler: PortHandler = (request, response) => {
    if (request.url !== '/large') {
      void handleRow(request, response);
      return;
    }
    response.end(LARGE);
    isWaiting = true;
  };
  const port = await openPlainPort(handler, SHORT, IDENTITY);
  t.after(() => port.drain(0));
  const gathering = createServer((near) => {
    const far = connectTcp(port.port, '127.0.0.1');
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy()).pipe(near);
    const held: Buffer[] = [];
    near.on('data', (chunk: Buffer) => {
      held.push(chunk);
      setTimeout(() => far.write(Buffer.concat(held.splice(0))), GATHER_MS);
    });
  });
  await new Promise<void>((resolve) => gathering.listen(0, '127.0.0.1', resolve));
  t.after(() => gathering.close());
  const socket = connect({
    port: (gathering.address() as AddressInfo).port,
    host: '127.0.0.1',
    ca: CA,
    servername: 'localhost',
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
  await waitFor('the first request', () => isWaiting);
  // Two records.
  socket.write('POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
  socket.write('hello');
  let end = '';
  socket.on('data', (chunk: Buffer) => {
    end = (end + chunk.toString('latin1')).slice(-100);
  });
  await waitFor('an end', () => socket.closed || end.endsWith('POST /body at a'));
  assert.ok(!socket.closed);
});

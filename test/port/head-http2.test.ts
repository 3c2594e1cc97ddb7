import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import type { PortHandler } from '../../src/port/port.ts';
import { startService } from '../../src/server/start.ts';
import { waitFor } from '../support/wait.ts';
import { openPlainPort } from './support/plain.ts';

test('a HEAD request over HTTP/2 without a response ends with its stream', async (t) => {
  let over = 0;
  const handler: PortHandler = (_, response) => {
    response.on('close', () => {
      over += 1;
    });
  };
  const port = await openPlainPort(handler);
  t.after(() => port.drain(0));
  const session = connect(`http://127.0.0.1:${port.port}`);
  t.after(() => session.destroy());
  for (const method of ['GET', 'HEAD']) {
    const stream = session.request({ ':method': method, ':path': '/' });
    await waitFor('the request to arrive', () => port.requests() === 1);
    stream.close();
    await waitFor(`the ${method} request to end`, () => port.requests() === 0);
  }
  assert.equal(over, 2);
});

test('a HEAD request to an RPC over HTTP/2 gets a response and leaves no request open', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  const session = connect(service.url);
  t.after(() => session.destroy());
  for (const path of ['/discovery.v1.DiscoveryService/GetCluster', '/etcdserverpb.Watch/Watch', '/a.B/c']) {
    for (const type of ['application/grpc', 'application/json', 'text/plain']) {
      const stream = session.request({ ':method': 'HEAD', ':path': path, 'content-type': type });
      stream.resume();
      const [{ ':status': status }] = (await once(stream, 'response')) as [Record<string, unknown>];
      assert.ok(typeof status === 'number', `${path} ${type}`);
      stream.close();
    }
  }
  // The request for the metrics itself.
  await waitFor('no other request to be open', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return /^discovery_requests_open 1$/m.test(text);
  });
});

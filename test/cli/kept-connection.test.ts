import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { run } from '../support/child.ts';

for (const [command, ...args] of [['new'], ['show', 'token'], ['list'], ['wait', 'token']]) {
  test(`${command} ends although the server keeps the connection of an unexpected response`, async (t) => {
    const server = createServer((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>');
    });
    server.keepAliveTimeout = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const { code } = await run([command ?? '', ...args, '--server', `http://127.0.0.1:${port}`]);
    assert.notEqual(code, 0);
  });
}

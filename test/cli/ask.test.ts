import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { unaryClient } from '../../src/cli/api/client.ts';

const BODY = '{"status":"SERVING"}';
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const WHOLE = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** Starts a server that answers each request as a function says. Returns its URL, and the requests that it got. */
async function serverOf(
  t: TestContext,
  answer: (request: string, socket: Socket) => void,
  host = '127.0.0.1',
): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setEncoding('latin1').on('data', (text: string) => {
      requests.push(text);
      answer(text, socket);
    });
    socket.on('error', () => {});
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, requests };
}

async function healthAt(server: string): Promise<number> {
  return (
    await unaryClient({ server, tls: {}, headers: { 'X-Test': 'yes' } }, (message) => message).check({})
  ).status;
}

test('a response counts once it is complete, whether the server closes the connection or not', async (t) => {
  const parts = [WHOLE.slice(0, 20), WHOLE.slice(20, -5), WHOLE.slice(-5)];
  const { url, requests } = await serverOf(t, (_, socket) => {
    for (const [n, part] of parts.entries()) setTimeout(() => socket.write(part), n * 20);
  });
  assert.equal(await healthAt(url), 1);
  assert.equal(requests.length, 1);
  assert.match(
    requests[0] ?? '',
    /^POST \/grpc\.health\.v1\.Health\/Check HTTP\/1\.0\r\nHost: localhost:\d+\r\n/,
  );
  assert.match(requests[0] ?? '', /\r\nX-Test: yes\r\n/);
});

test('a response without a length ends with its connection', async (t) => {
  const { url, requests } = await serverOf(t, (_, socket) => {
    socket.write(`${HEAD}\r\n${BODY.slice(0, 5)}`);
    setTimeout(() => socket.end(BODY.slice(5)), 20);
  });
  assert.equal(await healthAt(url), 1);
  assert.equal(requests.length, 1);
});

const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

async function fallsBack(t: TestContext, respond: (socket: Socket) => void): Promise<void> {
  const { url, requests } = await serverOf(t, (request, socket) => {
    if (request.includes(' HTTP/1.0\r\n')) respond(socket);
    else socket.end(WHOLE);
  });
  assert.equal(await healthAt(url), 1);
  assert.equal(requests.length, 2);
}

for (const [what, first] of [
  ['that is cut off', WHOLE.slice(0, -1)],
  ['that is empty', ''],
] as const) {
  test(`after a response ${what}, Node's client makes the call`, (t) =>
    fallsBack(t, (socket) => void socket.end(first)));
}

for (const [what, first] of [
  ['in chunks', CHUNKED],
  ['that is longer than it says', `${WHOLE} `],
  ['of another type', WHOLE.replace('application/json', 'text/html')],
  ['that asks for another version', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n'],
  ['after an informational one', `HTTP/1.1 103 Early Hints\r\n\r\n${WHOLE}`],
  ['that is not HTTP', 'SSH-2.0-OpenSSH\r\n'],
] as const) {
  test(`after a response ${what}, Node's client makes the call`, (t) =>
    fallsBack(t, (socket) => void socket.end(first)));
  test(`the same where the server keeps the connection open: a response ${what}`, (t) =>
    fallsBack(t, (socket) => void socket.write(first)));
}

test('an error of the service is read from its first response', async (t) => {
  const error = '{"code":"not_found","message":"no such token"}';
  const head = 'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n';
  const { url, requests } = await serverOf(t, (_, socket) => {
    socket.end(`${head}Content-Length: ${error.length}\r\n\r\n${error}`);
  });
  await assert.rejects(healthAt(url), /no such token/);
  assert.equal(requests.length, 1);
});

test('a service that listens on ::1 alone is found by the name localhost', async (t) => {
  const addresses = await lookup('localhost', { all: true });
  if (!addresses.some(({ address }) => address === '::1'))
    return t.skip('localhost has no IPv6 address here');
  const { url } = await serverOf(t, (_, socket) => socket.end(WHOLE), '::1');
  assert.equal(await healthAt(url), 1);
});

test('a call that is not safe to repeat is sent once', async (t) => {
  const { url, requests } = await serverOf(t, (_, socket) => socket.end(CHUNKED.slice(0, -7)));
  const client = unaryClient({ server: url, tls: {}, headers: {} }, (message) => message);
  await assert.rejects(client.deregister({ token: 'a', memberId: 'b' }));
  assert.equal(requests.length, 1);
  assert.match(requests[0] ?? '', / HTTP\/1\.1\r\n/);
});

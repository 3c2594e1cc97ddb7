import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { SpawnedService } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';
import { open, openSession, openStream } from './support/clients.ts';
import { parseAnswers } from './support/http1.ts';
import { RawClient } from './support/raw.ts';

// Sends SIGTERM to the real process while every kind of client is connected.
const started: SpawnedService[] = [];
after(async () => {
  for (const service of started) await service.remove();
});

async function start(
  args: readonly string[],
  size = 3,
): Promise<{ service: SpawnedService; port: number; token: string }> {
  const service = await SpawnedService.start(args);
  started.push(service);
  const { cluster } = await clients(service).connect.createToken({ size });
  return { service, port: Number(new URL(service.url).port), token: cluster?.token ?? '' };
}

function clients({ url: baseUrl }: SpawnedService): { connect: DiscoveryClient; grpc: DiscoveryClient } {
  return {
    connect: createClient(DiscoveryService, createConnectTransport({ baseUrl, httpVersion: '1.1' })),
    grpc: createClient(DiscoveryService, createGrpcTransport({ baseUrl })),
  };
}

/** Watches until the stream breaks, and reports when it began. */
function watch(client: DiscoveryClient, token: string): { begun: Promise<void>; end: Promise<ConnectError> } {
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const end = (async () => {
    try {
      for await (const _ of client.watchMembers({ token })) begin();
    } catch (error) {
      return ConnectError.from(error);
    }
    throw new Error('the watch ended without an error');
  })();
  return { begun, end };
}

/** Starts an RPC with half of its body, which stays in progress until `finish`. */
async function startCall(port: number): Promise<{ client: RawClient; finish: () => void }> {
  const client = await RawClient.connect(port);
  // The response to the first request shows that the service has received the second.
  client.send(
    'GET /health HTTP/1.1\r\nHost: a\r\n\r\n' +
      'POST /discovery.v1.DiscoveryService/CreateToken HTTP/1.1\r\nHost: a\r\n' +
      'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"si',
  );
  await client.until('the first response', (heard) => parseAnswers(heard).answers.length === 1);
  return { client, finish: () => client.send('ze":5}') };
}

test('on SIGTERM, waits end empty, streams get SHUTTING_DOWN, calls finish, and the exit code is 0', async () => {
  const { service, port, token } = await start([]);
  const session = openSession(port);
  const path = `/${token}?wait=true&recursive=true`;
  const polls = await Promise.all([open(port, path), open(port, path), openStream(session, path)]);
  const { connect, grpc } = clients(service);
  const watches = [watch(connect, token), watch(grpc, token)];
  await Promise.all(watches.map(({ begun }) => begun));
  const call = await startCall(port);

  const ended = service.end('SIGTERM');
  for (const { status, body } of polls) assert.deepEqual([status, await body], [200, '']);
  for (const { end } of watches) {
    const error = await end;
    assert.equal(error.code, Code.Unavailable);
    assert.equal(error.findDetails(ErrorDetailSchema)[0]?.reason, ErrorReason.SHUTTING_DOWN);
  }
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
  // Only the call is left, and keeps the process running.
  assert.equal(service.command.child.exitCode, null);
  call.finish();
  await call.client.untilClosed();
  const [, answer] = parseAnswers(call.client.heard).answers;
  assert.equal(answer?.status, 200, answer?.body);
  assert.equal(answer.headers['connection'], 'close');
  assert.match(answer.body, /"size": ?5/);
  assert.deepEqual(await ended, { code: 0, signal: null });
  session.destroy();
});

test('a client that never reads is cut off after the grace period, and the exit code is 0', async () => {
  const { service, port, token } = await start(['--grace', '1s'], 100);
  const { connect } = clients(service);
  // A list of 140 kB, requested more often than the kernel can buffer.
  const host = `${'a'.repeat(60)}.`.repeat(3);
  for (let member = 1; member <= 100; member += 1) {
    const peerUrls = Array.from({ length: 6 }, (_, index) => `http://${host}m${member}:${index + 1}`);
    await connect.register({ token, memberId: `${member}`, name: `n${member}`, peerUrls });
  }
  const query = `encoding=json&message=${encodeURIComponent(JSON.stringify({ token }))}`;
  const ask = `GET /discovery.v1.DiscoveryService/ListMembers?${query} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const client = await RawClient.connect(port);
  client.stopReading();
  client.send(ask.repeat(95));
  const answered = (): number =>
    service.command.log().filter(({ path }) => /ListMembers/.test(String(path))).length;
  await waitFor('the first responses', () => answered() > 0);
  assert.deepEqual(await service.end('SIGTERM'), { code: 0, signal: null });
  assert.ok(service.command.log().some(({ msg }) => /aborted/.test(String(msg))));
  client.destroy();
});

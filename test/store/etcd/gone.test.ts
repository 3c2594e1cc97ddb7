import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { RangeRequestSchema, WatchRequestSchema } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { membersPrefix, tokenPrefix } from '../../etcdv3/etcd.ts';
import { startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

const WATCH = create(WatchRequestSchema, {
  requestUnion: { case: 'createRequest', value: { ...membersPrefix('t'), startRevision: 1n } },
});
const binary = toBinary(WatchRequestSchema, WATCH);
const json = Buffer.from(toJsonString(WatchRequestSchema, WATCH));
const range = toBinary(RangeRequestSchema, create(RangeRequestSchema, tokenPrefix('t')));
/** The field `token`, which has the same number in every message of the API. */
const tokenField = Buffer.from([10, 1, 116]);
const API = '/discovery.v1.DiscoveryService';

/** Every kind of read: path, content type and body. */
const CALLS = [
  ...(['application/grpc', 'application/grpc-web'] as const).flatMap((type) => [
    ['/etcdserverpb.Watch/Watch', type, frame(binary)] as const,
    ['/etcdserverpb.KV/Range', type, frame(range)] as const,
    [`${API}/ListMembers`, type, frame(tokenField)] as const,
    [`${API}/WatchMembers`, type, frame(tokenField)] as const,
  ]),
  ['/etcdserverpb.Watch/Watch', 'application/grpc+json', frame(json)],
  ['/etcdserverpb.Watch/Watch', 'application/connect+json', frame(json)],
  [`${API}/WatchMembers`, 'application/connect+json', frame(Buffer.from('{"token":"t"}'))],
  [`${API}/ListMembers`, 'application/json', Buffer.from('{"token":"t"}')],
] as const;

const READS = ['/t?recursive=true&wait=true&waitIndex=1', '/t/1?wait=true', '/t', '/t/_config/size'];

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

type Stream = ReturnType<ClientHttp2Session['request']>;

/** Begins every call on one connection, and leaves the client streams open. */
function begin(port: number): { session: ClientHttp2Session; socket: Socket; streams: Stream[] } {
  const socket = connectSocket(port, '127.0.0.1');
  const session = connectHttp2('http://127.0.0.1', { createConnection: () => socket });
  session.on('error', () => {});
  const streams = CALLS.map(([path, type, body]) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': type,
      te: 'trailers',
    });
    if (path.endsWith('/Watch')) stream.write(body);
    else stream.end(body);
    return stream;
  });
  for (const path of READS) streams.push(session.request({ ':path': path }));
  streams.push(session.request({ ':path': '/t', accept: 'text/html' }));
  for (const stream of streams) stream.on('error', () => {});
  return { session, socket, streams };
}

function beginOverHttp1(port: number): Socket[] {
  const pages = READS.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const calls = CALLS.filter(([, type]) => !/grpc(\+|$)/.test(type)).map(
    ([path, type, body]) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`,
  );
  return [...pages, ...calls].map((text) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text, 'latin1');
    return socket;
  });
}

/** How an HTTP/2 client disconnects. */
const DISCONNECTS: Readonly<Record<string, (begun: ReturnType<typeof begin>) => void>> = {
  'closes its connection': ({ session }) => session.destroy(),
  'resets its connection': ({ socket }) => socket.resetAndDestroy(),
  ...Object.fromEntries(
    (['CANCEL', 'INTERNAL_ERROR', 'PROTOCOL_ERROR', 'REFUSED_STREAM', 'NO_ERROR'] as const).map((code) => [
      `resets its streams with ${code}`,
      ({ streams }: ReturnType<typeof begin>) => {
        for (const stream of streams) stream.close(constants[`NGHTTP2_${code}`]);
      },
    ]),
  ),
};

await forEachEtcd((label, etcd) => {
  describe(`a client that disconnects while its first read waits for ${label}`, () => {
    test('causes no error in the log, whatever its protocol and however it disconnects', async (t) => {
      const scene = await Scene.open(t);
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [member] = backing.members;
      assert.ok(member !== undefined);
      const service = await startService(
        {},
        {
          store: {
            type: 'ETCD',
            endpoints: [member.clientUrl],
            prefix: newPrefix(),
            caFile: undefined,
            clientTls: undefined,
            user: undefined,
          },
        },
      );
      t.after(() => service.stop());
      const { client, port } = service;
      await client.createToken({ token: 't', size: 3 });
      member.freeze();
      const begun = Object.values(DISCONNECTS).map((go) => ({ go, begun: begin(port) }));
      const sockets = beginOverHttp1(port);
      const watches = Object.keys(DISCONNECTS).length * 3;
      await waitFor(
        'the watches to wait for their first read',
        () => service.discovery.watchers() >= watches,
      );
      // The ping is answered after everything sent before it on the same connection was read.
      for (const each of begun) await new Promise((taken) => each.begun.session.ping(taken));
      for (const each of begun) each.go(each.begun);
      for (const [i, socket] of sockets.entries()) {
        if (i % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
      await waitFor('the watches to end', () => service.discovery.watchers() === 0);
      member.thaw();
      await waitFor('the store to recover', () =>
        client.listMembers({ token: 't' }).then(
          () => true,
          () => false,
        ),
      );
      for (const each of begun) each.begun.session.destroy();
      const wrong = service.logged.filter((line) => /"level":"(error|fatal)"/.test(line));
      assert.deepEqual(wrong, []);
    });
  });
});

// Typical gRPC calls do not use connect-node's adapter: these tests compare their responses with the adapter's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createServiceImplSpec, type HandlerContext } from '@connectrpc/connect';
import {
  DiscoveryService,
  GetClusterRequestSchema,
  WatchMembersRequestSchema,
} from '../../../gen/discovery/v1/service_pb.ts';
import { Watch, WatchRequestSchema } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { openPort, type Port } from '../../../src/port/port.ts';
import { forClients } from '../../../src/server/rpc/connect-words.ts';
import { encodeGrpcMessage } from '../../../src/server/rpc/grpc-message.ts';
import { rpcHandler } from '../../../src/server/rpc/handler.ts';
import type { Outcome } from '../../../src/server/rpc/outcome.ts';
import {
  type StreamingInputCallRequest,
  StreamingInputCallRequestSchema,
  type StreamingInputCallResponse,
  StreamingInputCallResponseSchema,
} from '../../conformance/gen/grpc/testing/messages_pb.ts';
import { TestService } from '../../conformance/gen/grpc/testing/test_pb.ts';
import { waitFor } from '../../support/wait.ts';
import { adapterOf } from './adapter.ts';
import { getCluster } from './get-cluster.ts';

const GET_CLUSTER = '/discovery.v1.DiscoveryService/GetCluster';
const WATCH_MEMBERS = '/discovery.v1.DiscoveryService/WatchMembers';
const WATCH = '/etcdserverpb.Watch/Watch';
const UPLOAD = '/grpc.testing.TestService/StreamingInputCall';

/** The errors with which the requests of streams ended. */
const failures: unknown[] = [];

/** Returns the number of bytes received. Behaves as the size of a part says. */
async function upload(
  requests: AsyncIterable<StreamingInputCallRequest>,
  context: HandlerContext,
): Promise<StreamingInputCallResponse> {
  let aggregatedPayloadSize = 0;
  for await (const { payload } of requests) {
    const size = payload?.body.length ?? 0;
    aggregatedPayloadSize += size;
    if (size === 1) {
      context.responseHeader.set('x-head', 'first');
      context.responseTrailer.set('x-trailer', 'last');
    }
    if (size === 13) throw new ConnectError('no thirteen', Code.InvalidArgument, { 'x-more': 'words' });
    if (size === 66) throw new TypeError('internal secret');
    if (size === 40) {
      if (!context.signal.aborted) await once(context.signal, 'abort');
      throw context.signal.reason;
    }
  }
  return create(StreamingInputCallResponseSchema, { aggregatedPayloadSize });
}

const SERVICES = [
  createServiceImplSpec<typeof DiscoveryService>(DiscoveryService, {
    getCluster,
    async *watchMembers({ token }, { signal }) {
      if (token === 'quiet' && !signal.aborted) await once(signal, 'abort');
      if (token === 'quiet') return;
      for (const revision of [1n, 2n, 3n]) yield { update: { case: 'started', value: { revision } } };
      if (token === 'refused') throw new ConnectError('that was all', Code.DataLoss);
    },
  }),
  createServiceImplSpec<typeof Watch>(Watch, {
    async *watch(requests) {
      try {
        for await (const { requestUnion } of requests)
          yield { created: true, cancelReason: String(requestUnion.case) };
      } catch (thrown) {
        failures.push(thrown);
        throw thrown;
      }
    },
  }),
  createServiceImplSpec<typeof TestService>(TestService, { streamingInputCall: upload }),
];

interface Answer {
  readonly head: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const asked = (token: string): Buffer =>
  frame(toBinary(GetClusterRequestSchema, create(GetClusterRequestSchema, { token })));
const watched = (token: string): Buffer =>
  frame(toBinary(WatchMembersRequestSchema, create(WatchMembersRequestSchema, { token })));
/** Returns a part of an upload with this many bytes. */
const part = (size: number): Buffer =>
  frame(
    toBinary(
      StreamingInputCallRequestSchema,
      create(StreamingInputCallRequestSchema, { payload: { body: new Uint8Array(size) } }),
    ),
  );
const watch = frame(
  toBinary(
    WatchRequestSchema,
    create(WatchRequestSchema, { requestUnion: { case: 'progressRequest', value: {} } }),
  ),
);
const large = asked('x'.repeat(70_000));

/** Calls: a path, the pieces to send, and additional headers. */
const CALLS: Readonly<Record<string, readonly [string, readonly Uint8Array[], Record<string, string>?]>> = {
  'a typical call': [GET_CLUSTER, [asked('a')]],
  'a body in single bytes': [GET_CLUSTER, [...asked('a')].map((byte) => Buffer.of(byte))],
  'application/grpc+proto': [GET_CLUSTER, [asked('a')], { 'content-type': 'application/grpc+proto' }],
  'an error with a detail': [GET_CLUSTER, [asked('refused')]],
  'a defect': [GET_CLUSTER, [asked('defect')]],
  'headers and trailers of the handler': [GET_CLUSTER, [asked('headers')]],
  'the whole context': [GET_CLUSTER, [asked('context')], { 'grpc-timeout': '9S', 'x-asked': 'yes' }],
  'an exceeded deadline': [GET_CLUSTER, [asked('deadline')], { 'grpc-timeout': '300m' }],
  'an invalid deadline': [GET_CLUSTER, [asked('a')], { 'grpc-timeout': 'soon' }],
  'no message': [GET_CLUSTER, []],
  'two messages': [GET_CLUSTER, [asked('a'), asked('b')]],
  'half a message': [GET_CLUSTER, [asked('a').subarray(0, 7)]],
  'invalid protobuf': [GET_CLUSTER, [frame(Buffer.from([0xff, 0xff]))]],
  'a message that is too large': [GET_CLUSTER, [large]],
  'a message that is far too large, in pieces': [
    GET_CLUSTER,
    [large.subarray(0, 40_000), large.subarray(40_000), large],
  ],
  'a compressed message': [
    GET_CLUSTER,
    [frame(gzipSync(asked('a').subarray(5)), 1)],
    { 'grpc-encoding': 'gzip' },
  ],
  'a compressed message without an encoding header': [
    GET_CLUSTER,
    [frame(gzipSync(asked('a').subarray(5)), 1)],
  ],
  'an unknown compression': [GET_CLUSTER, [asked('a')], { 'grpc-encoding': 'lzma' }],
  identity: [GET_CLUSTER, [asked('a')], { 'grpc-encoding': 'identity' }],
  'JSON in gRPC': [
    GET_CLUSTER,
    [frame(Buffer.from('{"token":"a"}'))],
    { 'content-type': 'application/grpc+json' },
  ],
  'a stream of responses': [WATCH_MEMBERS, [watched('a')]],
  'a stream of responses that fails': [WATCH_MEMBERS, [watched('refused')]],
  'a stream of responses without a request': [WATCH_MEMBERS, []],
  'a stream of requests': [UPLOAD, [part(5), part(70), part(900)]],
  'a stream of requests in single bytes': [UPLOAD, [...part(5), ...part(7)].map((byte) => Buffer.of(byte))],
  'an empty stream of requests': [UPLOAD, []],
  'a stream of requests, with headers and trailers of the handler': [UPLOAD, [part(1)]],
  'a stream of requests that is rejected': [UPLOAD, [part(5), part(13), part(5)]],
  'a stream of requests with a defect': [UPLOAD, [part(6), part(66)]],
  'a truncated stream of requests': [UPLOAD, [part(5), part(7).subarray(0, 8)]],
  'a stream of requests with one that is too large': [UPLOAD, [part(5), part(70_000)]],
  'a stream of requests past its deadline': [UPLOAD, [part(40)], { 'grpc-timeout': '50m' }],
  'a stream of compressed requests': [
    UPLOAD,
    [frame(gzipSync(part(5).subarray(5)), 1), part(7)],
    { 'grpc-encoding': 'gzip' },
  ],
  'a bidirectional stream': [WATCH, [watch, watch]],
  'a bidirectional stream in single bytes': [WATCH, [...watch, ...watch].map((byte) => Buffer.of(byte))],
  'a truncated bidirectional stream': [WATCH, [watch, watch.subarray(0, 3)]],
  'a bidirectional stream with a compressed message': [WATCH, [frame(gzipSync(watch.subarray(5)), 1)]],
  'a bidirectional stream that is too large': [WATCH, [frame(Buffer.alloc(70_000))]],
};

describe('gRPC without the adapter', () => {
  const outcomes: Outcome[] = [];
  const rpc = rpcHandler(SERVICES);
  const defects: unknown[] = [];
  let ours: Port;
  let isEnded: boolean | undefined;
  const noted = (): Outcome => {
    const outcome: Outcome = {};
    outcomes.push(outcome);
    return outcome;
  };
  const adapter = createServer(adapterOf(SERVICES));
  before(async () => {
    ours = await openPort({
      host: '127.0.0.1',
      port: 0,
      log: { warn() {}, error: ({ err }: { readonly err?: unknown }) => void defects.push(err) },
      handler(request, response) {
        response.once('close', () => {
          isEnded = response.writableEnded;
        });
        return rpc.request(request, response, noted());
      },
      calls: { takes: rpc.takes, answer: (call) => rpc.call(call, noted()) },
    });
    // As the port does: does not wait for the rest of a body.
    adapter.on('stream', (stream) => stream.once('finish', () => stream.removeAllListeners('data').resume()));
    await once(adapter.listen(0, '127.0.0.1'), 'listening');
  });
  after(async () => {
    adapter.close();
    await ours.drain(0);
    assert.deepEqual(defects, []);
  });

  for (const [name, [path, pieces, headers = {}]] of Object.entries(CALLS)) {
    test(name, async () => {
      const [one, other] = [
        await call(ours.port, path, pieces, headers),
        await call((adapter.address() as AddressInfo).port, path, pieces, headers),
      ];
      assert.deepEqual(one, asServiceReturns(other, headers));
    });
  }

  test('a call of an unknown method gets a response before the stream closes', async () => {
    isEnded = undefined;
    await call(ours.port, '/a.B/C', [], {});
    await waitFor('the response to close', () => isEnded !== undefined);
    assert.equal(isEnded, true);
  });

  test('the outcome is recorded', async () => {
    const codeOf = async (path: string, piece: Buffer): Promise<string | undefined> => {
      await call(ours.port, path, [piece], {});
      return outcomes.at(-1)?.code;
    };
    assert.equal(await codeOf(GET_CLUSTER, asked('a')), 'ok');
    assert.equal(await codeOf(GET_CLUSTER, asked('refused')), 'not_found');
    assert.equal(await codeOf(UPLOAD, part(5)), 'ok');
    assert.equal(await codeOf(UPLOAD, part(13)), 'invalid_argument');
    assert.equal(await codeOf(WATCH_MEMBERS, watched('a')), 'ok');
    assert.equal(await codeOf(WATCH_MEMBERS, watched('refused')), 'data_loss');
  });

  for (const [path, type] of [
    ['without the adapter', 'application/grpc'],
    ['by the adapter', 'application/grpc-web'],
  ] as const) {
    test(`a stream that a deadline ends returns that code, ${path}`, async () => {
      for (const timeout of ['20m', '1n', '0m']) {
        const headers = { 'content-type': type, 'grpc-timeout': timeout };
        const { trailers, body } = await call(ours.port, WATCH_MEMBERS, [watched('quiet')], headers);
        const summary = `grpc-status: ${String(trailers['grpc-status'])} ${Buffer.from(body, 'hex').toString()}`;
        assert.match(summary, /grpc-status: 4/);
        assert.equal(outcomes.at(-1)?.code, 'deadline_exceeded');
      }
    });
  }

  test('a client that breaks off a stream cancels its call, which is not a defect', async () => {
    failures.length = 0;
    const session = connect(`http://127.0.0.1:${ours.port}`);
    const stream = session.request({ ':method': 'POST', ':path': WATCH, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    stream.write(watch);
    await once(stream, 'data');
    session.destroy();
    await waitFor('its requests to end', () => failures.length > 0);
    const [failure] = failures;
    assert.ok(failure instanceof ConnectError, String(failure));
    assert.equal(failure.code, Code.Canceled);
  });
});

/** Converts the adapter's response to the form that this service returns. */
function asServiceReturns(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  const { 'grpc-message': message, ...trailers } = answer.trailers;
  const words = message && encodeGrpcMessage(forClients(decodeURIComponent(String(message))));
  const isUnknown = headers['grpc-encoding'] === 'lzma';
  return {
    ...answer,
    head: { ...answer.head, ...(isUnknown && { 'grpc-accept-encoding': 'gzip' }) },
    trailers: { ...trailers, ...(words !== undefined && { 'grpc-message': words }) },
  };
}

async function call(
  port: number,
  path: string,
  pieces: readonly Uint8Array[],
  headers: Record<string, string>,
): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', ({ date: _, ...fields }) => {
      head = fields;
    });
    stream.on('trailers', (fields: IncomingHttpHeaders) => {
      trailers = fields;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    // An error may come before everything is sent.
    stream.on('error', () => {});
    for (const piece of pieces) {
      if (stream.writable) stream.write(piece);
      // Sends each piece as a separate frame.
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();
    await once(stream, 'close');
    return { head: { ...head }, trailers: { ...trailers }, body: Buffer.concat(chunks).toString('hex') };
  } finally {
    session.destroy();
  }
}

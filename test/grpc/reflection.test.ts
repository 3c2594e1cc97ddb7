import assert from 'node:assert/strict';
import { once as onceHappened } from 'node:events';
import { connect } from 'node:http2';
import { after, before, suite, test } from 'node:test';
import { createFileRegistry, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflection as V1,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as V1Alpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { type RunningService, startService } from '../support/service.ts';

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>;
type Answer = ServerReflectionResponse['messageResponse'];

const VERSIONS: Record<string, (baseUrl: string, question: Question) => Promise<Answer>> = {
  async v1(baseUrl, messageRequest) {
    const client = createClient(V1, createGrpcTransport({ baseUrl }));
    for await (const answer of client.serverReflectionInfo(once({ host: 'a', messageRequest }))) {
      assert.equal(answer.validHost, 'a');
      assert.equal(answer.originalRequest?.messageRequest.case, messageRequest.case);
      return answer.messageResponse;
    }
    return assert.fail('no answer');
  },
  async v1alpha(baseUrl, messageRequest) {
    const client = createClient(V1Alpha, createGrpcTransport({ baseUrl }));
    const request = { messageRequest } as MessageInitShape<typeof V1Alpha.method.serverReflectionInfo.input>;
    for await (const answer of client.serverReflectionInfo(once(request))) {
      return answer.messageResponse as Answer;
    }
    return assert.fail('no answer');
  },
};

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

for (const [version, ask] of Object.entries(VERSIONS)) {
  suite(`reflection ${version}`, () => {
    test('lists every service', async () => {
      const answer = await ask(service.url, { case: 'listServices', value: '' });
      assert.equal(answer.case, 'listServicesResponse');
      assert.deepEqual(
        answer.value.service.map(({ name }) => name),
        [
          'discovery.v1.DiscoveryService',
          'discovery.v1.OperatorService',
          'etcdserverpb.Auth',
          'etcdserverpb.Cluster',
          'etcdserverpb.KV',
          'etcdserverpb.Maintenance',
          'etcdserverpb.Watch',
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
          'grpc.reflection.v1alpha.ServerReflection',
        ],
      );
    });

    test('finds every kind of symbol, and returns its file with all imports', async () => {
      const symbols: Record<string, string> = {
        'discovery.v1.DiscoveryService': 'discovery/v1/service.proto',
        'discovery.v1.DiscoveryService.CreateToken': 'discovery/v1/service.proto',
        'discovery.v1.Member': 'discovery/v1/cluster.proto',
        'discovery.v1.Member.peer_urls': 'discovery/v1/cluster.proto',
        'discovery.v1.WatchMembersResponse.update': 'discovery/v1/service.proto',
        'discovery.v1.ClusterState': 'discovery/v1/cluster.proto',
        'discovery.v1.CLUSTER_STATE_COMPLETE': 'discovery/v1/cluster.proto',
        // In error details, which no service refers to.
        'discovery.v1.ErrorDetail': 'discovery/v1/error.proto',
        'grpc.health.v1.HealthCheckResponse.ServingStatus': 'grpc/health/v1/health.proto',
        'grpc.health.v1.HealthCheckResponse.SERVING': 'grpc/health/v1/health.proto',
        'google.protobuf.Timestamp': 'google/protobuf/timestamp.proto',
      };
      for (const [value, file] of Object.entries(symbols)) {
        const answer = await ask(service.url, { case: 'fileContainingSymbol', value });
        assert.equal(answer.case, 'fileDescriptorResponse', value);
        const files = answer.value.fileDescriptorProto.map((bytes) =>
          fromBinary(FileDescriptorProtoSchema, bytes),
        );
        assert.equal(files[0]?.name, file);
        // Throws if an import is missing.
        createFileRegistry({ $typeName: FileDescriptorSetSchema.typeName, file: files.reverse() });
        const byName = await ask(service.url, { case: 'fileByFilename', value: file });
        assert.deepEqual(byName, answer);
      }
    });

    test('reports unknown symbols', async () => {
      const questions: Question[] = [
        { case: 'fileByFilename', value: 'nothing.proto' },
        { case: 'fileContainingSymbol', value: 'discovery.v1.Nothing' },
        { case: 'allExtensionNumbersOfType', value: 'discovery.v1.Nothing' },
        {
          case: 'fileContainingExtension',
          value: { containingType: 'discovery.v1.Member', extensionNumber: 100 },
        },
      ];
      for (const question of questions) {
        const answer = await ask(service.url, question);
        assert.equal(answer.case, 'errorResponse', question.case);
        assert.equal(answer.value.errorCode, Code.NotFound);
        assert.match(answer.value.errorMessage, /not found|no extensions/);
      }
      const none = await ask(service.url, {
        case: 'allExtensionNumbersOfType',
        value: 'discovery.v1.Member',
      });
      assert.equal(none.case, 'allExtensionNumbersResponse');
      assert.deepEqual(none.value.extensionNumber, []);
    });
  });
}

test('an open stream does not delay the end of the service', async () => {
  const stopping = await startService({}, { grace: 60_000 });
  const client = createClient(V1, createGrpcTransport({ baseUrl: stopping.url }));
  let close = (): void => {};
  const open = new Promise<void>((resolve) => {
    close = resolve;
  });
  const requests = async function* (): AsyncGenerator<
    MessageInitShape<typeof ServerReflectionRequestSchema>
  > {
    yield { messageRequest: { case: 'listServices', value: '' } };
    await open;
  };
  const answers = client.serverReflectionInfo(requests())[Symbol.asyncIterator]();
  assert.equal((await answers.next()).done, false);
  const [ended] = await Promise.allSettled([answers.next(), stopping.stop()]);
  close();
  assert.ok(ended.status === 'rejected' && ended.reason instanceof ConnectError);
  assert.equal(ended.reason.code, Code.Unavailable);
});

test('the server ends streams that clients leave open after its response, and keeps their connection', async (t) => {
  const own = await startService();
  t.after(() => own.stop());
  const session = connect(own.url);
  t.after(() => session.destroy());
  const call = { ':method': 'POST', ':path': `/${V1.typeName}/ServerReflectionInfo`, te: 'trailers' };
  // An invalid message: the server responds with an error while its client continues to write.
  const codes = Array.from({ length: 50 }, async () => {
    const stream = session.request({ ...call, 'content-type': 'application/grpc' });
    stream.resume().on('error', () => {});
    const trailers = onceHappened(stream, 'trailers');
    stream.write(Buffer.from([0, 0, 0, 0, 1, 0xff]));
    const [fields] = (await trailers) as [Record<string, string>];
    assert.equal(Number(fields['grpc-status']), Code.Internal);
    if (!stream.closed) {
      stream.end(Buffer.alloc(5));
      await onceHappened(stream, 'close');
    }
    return stream.rstCode;
  });
  assert.deepEqual(new Set(await Promise.all(codes)), new Set([0]));
  const health = session.request({ ':path': '/health' });
  const [head] = (await onceHappened(health.resume(), 'response')) as [Record<string, unknown>];
  assert.equal(head[':status'], 200);
});

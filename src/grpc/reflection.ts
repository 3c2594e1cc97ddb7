import type { DescFile } from '@bufbuild/protobuf';
import { Code, createServiceImplSpec, type HandlerContext, type ServiceImplSpec } from '@connectrpc/connect';
import {
  type ServerReflectionRequest as RequestV1,
  ServerReflection as V1,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import {
  type ServerReflectionRequest as RequestV1Alpha,
  ServerReflection as V1Alpha,
} from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { OpenStreams } from './open-streams.ts';
import { Symbols } from './symbols.ts';

type Request = RequestV1 | RequestV1Alpha;
type Question = Request['messageRequest'];
type Answer =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string } }
  | { case: 'listServicesResponse'; value: { service: Array<{ name: string }> } }
  | { case: 'errorResponse'; value: { errorCode: Code; errorMessage: string } };

/**
 * Returns gRPC's reflection services, versions 1 and 1alpha: clients without a schema ask them for one.
 * `details` are the files of messages that occur only in error details, which no service references. Streams
 * end when the signal is aborted.
 */
export function reflectionServices(
  others: readonly ServiceImplSpec[],
  { details, stopping }: { readonly details: readonly DescFile[]; readonly stopping: AbortSignal },
): readonly ServiceImplSpec[] {
  const services = [...others.map(({ service }) => service), V1, V1Alpha];
  const answer = answers(
    services.map(({ typeName }) => typeName).sort(),
    new Symbols([...services.map(({ file }) => file), ...details]),
  );
  const streams = new OpenStreams(stopping);
  async function* info<R extends Request>(
    requests: AsyncIterable<R>,
    { signal }: HandlerContext,
  ): AsyncGenerator<{ validHost: string; originalRequest: R; messageResponse: Answer }> {
    for await (const request of streams.until(requests, signal)) {
      const { host, messageRequest } = request;
      yield { validHost: host, originalRequest: request, messageResponse: answer(messageRequest) };
    }
  }
  return [
    createServiceImplSpec<typeof V1>(V1, { serverReflectionInfo: info }),
    createServiceImplSpec<typeof V1Alpha>(V1Alpha, { serverReflectionInfo: info }),
  ];
}

function answers(services: readonly string[], symbols: Symbols): (question: Question) => Answer {
  const files = (found: readonly Uint8Array[] | undefined, what: string): Answer =>
    found === undefined
      ? refusal(Code.NotFound, `${what} not found`)
      : { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...found] } };

  return (question) => {
    switch (question.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
      case 'fileByFilename':
        return files(symbols.file(question.value), `file ${question.value}`);
      case 'fileContainingSymbol':
        return files(symbols.declaring(question.value), `symbol ${question.value}`);
      case 'fileContainingExtension':
        return refusal(Code.NotFound, 'this service has no extensions');
      case 'allExtensionNumbersOfType':
        return symbols.isMessage(question.value)
          ? { case: 'allExtensionNumbersResponse', value: { baseTypeName: question.value } }
          : refusal(Code.NotFound, `message ${question.value} not found`);
      default:
        return refusal(Code.InvalidArgument, 'unsupported reflection request');
    }
  };
}

function refusal(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

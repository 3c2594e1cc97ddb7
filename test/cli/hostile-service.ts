import { createServer, type Server } from 'node:http';
import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { OperatorService } from '../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';

/** The content that a hostile service sends to its clients. */
export interface Malice {
  /** Every text in a response or an error. */
  readonly text: string;
  /** The text of fields that usually contain URLs. */
  readonly url: string;
  /** The number of every enum. */
  readonly state: number;
  /** Rejects calls, with this reason. */
  readonly refusal?: keyof typeof ErrorReason | undefined;
}

/** Returns a service whose responses follow the client's schema and have hostile content. */
export function hostileService(malice: () => Malice): Server {
  const routes = (router: ConnectRouter): void => {
    for (const method of [...DiscoveryService.methods, ...OperatorService.methods, ...Health.methods]) {
      router.rpc(method, answerOf(method, malice) as never);
    }
  };
  return createServer(connectNodeAdapter({ routes, requestPathPrefix: '' }));
}

function answerOf({ methodKind, output }: DescMethod, malice: () => Malice): unknown {
  if (methodKind === 'unary') {
    return () => {
      refuse(malice());
      return filled(output, malice());
    };
  }
  return async function* () {
    refuse(malice());
    const [update] = output.oneofs;
    // One message for each kind of update, in order; then the stream ends.
    for (const field of update?.fields ?? []) yield filled(output, malice(), field.localName);
    // Clients retry a watch after most other errors.
    throw new ConnectError(malice().text, Code.Unauthenticated);
  };
}

function refuse({ refusal, text, url, state }: Malice): void {
  if (refusal === undefined) return;
  const detail = filled(ErrorDetailSchema, { text, url, state });
  const value = { ...detail, reason: ErrorReason[refusal] } as MessageInitShape<typeof ErrorDetailSchema>;
  throw new ConnectError(text, Code.FailedPrecondition, undefined, [{ desc: ErrorDetailSchema, value }]);
}

/** Returns a message with every field set: of a oneof the chosen field, or the first. */
function filled(desc: DescMessage, malice: Malice, chosen?: string): object {
  const message = create(desc) as unknown as Record<string, unknown>;
  for (const field of desc.fields) {
    const value = valueOf(field, malice);
    if (field.oneof === undefined) message[field.localName] = field.fieldKind === 'list' ? [value] : value;
    else if (field.localName === (chosen ?? field.oneof.fields[0]?.localName)) {
      message[field.oneof.localName] = { case: field.localName, value };
    }
  }
  return message;
}

function valueOf(field: DescField, malice: Malice): unknown {
  const ofMessage = field.message;
  if (ofMessage !== undefined) {
    if (ofMessage.typeName.startsWith('google.protobuf.'))
      return create(ofMessage, { seconds: 1_900_000_000n });
    return filled(ofMessage, malice);
  }
  const { enum: ofEnum, scalar } = field;
  if (ofEnum !== undefined) return ofEnum.values[malice.state % ofEnum.values.length]?.number ?? 0;
  switch (scalar) {
    case ScalarType.STRING:
      return /url/i.test(field.name) ? malice.url : malice.text;
    case ScalarType.BOOL:
      return true;
    case ScalarType.UINT64:
    case ScalarType.INT64:
      return 7n;
    default:
      return 3;
  }
}

import { create } from '@bufbuild/protobuf';
import { ConnectError, type Transport } from '@connectrpc/connect';
import { ErrorDetailSchema } from '../../gen/discovery/v1/error_pb.ts';
import { printable } from '../values/quote.ts';
import { cleaned } from './cleaned.ts';

/**
 * Makes the service's responses safe to print: every text in them becomes one line without terminal control
 * characters, so that no text can forge another line.
 */
export function printableTransport(transport: Transport): Transport {
  return {
    async unary(...call) {
      const answer = await transport.unary(...call).catch(fail);
      return { ...answer, message: cleaned(answer.message) };
    },
    async stream(...call) {
      const answer = await transport.stream(...call).catch(fail);
      return { ...answer, message: each(answer.message) };
    },
  };
}

async function* each<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    for await (const message of messages) yield cleaned(message);
  } catch (thrown) {
    fail(thrown);
  }
}

function fail(thrown: unknown): never {
  if (!(thrown instanceof ConnectError)) throw thrown;
  const { rawMessage, code, metadata, cause } = thrown;
  const details = thrown.findDetails(ErrorDetailSchema).map((detail) => ({
    desc: ErrorDetailSchema,
    value: create(ErrorDetailSchema, cleaned(detail)),
  }));
  const error = new ConnectError(printable(rawMessage), code, metadata, details, cause);
  // The other details have no texts: they say when to retry.
  const others = thrown.details.filter(
    (each) => !('type' in each && each.type === ErrorDetailSchema.typeName),
  );
  error.details.push(...others);
  throw error;
}

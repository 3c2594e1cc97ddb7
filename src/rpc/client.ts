import {
  create,
  type DescMessage,
  type DescMethod,
  isMessage,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import {
  type CallOptions,
  type Client,
  type ContextValues,
  createContextValues,
  makeAnyClient,
} from '@connectrpc/connect';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { CallContext } from './service.ts';

/** What the gateways speak to: the service in this process, or another one. */
export type DiscoveryClient = Client<typeof DiscoveryService>;

// The signal of calls that nobody will abort. One for all: handlers release their listeners when they end.
const NEVER = new AbortController().signal;

// What calls of nobody in particular carry: nothing.
const NOBODY = createContextValues();

type Handler = (request: unknown, context: CallContext) => unknown;

/**
 * A client of a service in the same process: messages are handed over as they are, nothing is serialised.
 * Deadlines and headers have no meaning here; an aborted signal ends the handler, which a `for await` that is
 * left does not. The context values say who calls, as `RESOLVE_CALLER` in them.
 */
export function inProcessClient(service: object, values: ContextValues = NOBODY): DiscoveryClient {
  const handlers = service as Record<string, Handler>;
  return makeAnyClient(DiscoveryService, (method) => {
    const handler = handlers[method.localName];
    if (handler === undefined) throw new TypeError(`the service has no handler for ${method.name}`);
    return (input: MessageInitShape<DescMessage>, options?: CallOptions) =>
      handler(messageOf(method, input), { signal: options?.signal ?? NEVER, values });
  }) as DiscoveryClient;
}

function messageOf(method: DescMethod, input: MessageInitShape<DescMessage>): unknown {
  return isMessage(input, method.input) ? input : create(method.input, input);
}

import {
  create,
  type DescMessage,
  type DescMethod,
  isMessage,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import {
  type CallOptions,
  type ContextValues,
  createContextValues,
  makeAnyClient,
} from '@connectrpc/connect';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import type { Work } from '../work.ts';
import { QUOTA } from './caller.ts';
import type { CallContext, LocalService } from './service.ts';

// The signal of calls that nobody will abort. One for all: handlers release their listeners when they end.
const NEVER = new AbortController().signal;

// What calls of nobody in particular carry: nothing.
const NOBODY = createContextValues();

type Handler = (request: unknown, context: CallContext) => unknown;

/**
 * A client of a service in the same process: messages are handed over as they are, nothing is serialised.
 * Deadlines and headers have no meaning here; an aborted signal ends the handler, which a `for await` that is
 * left does not. The context values say who calls, as `RESOLVE_CALLER` in them. `revision` is the store's, for the
 * gateways, whose protocols carry it where the API does not; of `work` they take what an answer costs.
 */
export function inProcessClient(
  service: LocalService,
  values: ContextValues = NOBODY,
): DiscoveryClient & { revision(): Promise<bigint>; readonly work: Work } {
  const handlers = service as unknown as Record<string, Handler>;
  const client = makeAnyClient(DiscoveryService, (method) => {
    const handler = handlers[method.localName];
    if (handler === undefined) throw new TypeError(`the service has no handler for ${method.name}`);
    return (input: MessageInitShape<DescMessage>, options?: CallOptions) =>
      handler(messageOf(method, input), { signal: options?.signal ?? NEVER, values });
  }) as DiscoveryClient;
  return Object.assign(client, {
    revision: () => service.revision({ signal: NEVER, values }),
    work: values.get(QUOTA),
  });
}

function messageOf(method: DescMethod, input: MessageInitShape<DescMessage>): unknown {
  return isMessage(input, method.input) ? input : create(method.input, input);
}

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

// The signal of calls that are never aborted. One is shared, because handlers remove their listeners when
// they end.
const NEVER = new AbortController().signal;

// The empty context values of calls without a caller.
const NOBODY = createContextValues();

type Handler = (request: unknown, context: CallContext) => unknown;

/**
 * Returns a client of a service in the same process. Messages are passed by reference, without serialisation.
 * Deadlines and headers have no effect. Only an aborted signal ends the handler; leaving a `for await` loop
 * does not. The context values identify the caller, with `RESOLVE_CALLER` among them. `revision` is the
 * store's revision, for the gateways whose protocols carry it where the API does not. They charge `work` for
 * what a response costs.
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

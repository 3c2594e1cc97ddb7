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
import { NO_WORK, type Work } from '../work.ts';
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
  let model = models.get(service);
  if (model === undefined) models.set(service, (model = modelOf(service)));
  const client = { ...model };
  client.values = values;
  client.work = values.get(QUOTA);
  return client;
}

/** InProcessClient holds what its methods need, which are the same for all clients of a service. */
interface InProcessClient extends DiscoveryClient {
  values: ContextValues;
  work: Work;
  revision(): Promise<bigint>;
}

// A client is made for each call of the gateways: a copy, because making its methods takes longer than the rest.
const models = new WeakMap<LocalService, InProcessClient>();

function modelOf(service: LocalService): InProcessClient {
  const handlers = service as unknown as Record<string, Handler>;
  const methods = makeAnyClient(DiscoveryService, (method) => {
    const handler = handlers[method.localName];
    if (handler === undefined) throw new TypeError(`the service has no handler for ${method.name}`);
    return function (this: InProcessClient, input: MessageInitShape<DescMessage>, options?: CallOptions) {
      return handler(messageOf(method, input), { signal: options?.signal ?? NEVER, values: this.values });
    };
  }) as DiscoveryClient;
  return Object.assign(methods, {
    values: NOBODY,
    work: NO_WORK,
    revision(this: InProcessClient) {
      return service.revision({ signal: NEVER, values: this.values });
    },
  });
}

function messageOf(method: DescMethod, input: MessageInitShape<DescMessage>): unknown {
  return isMessage(input, method.input) ? input : create(method.input, input);
}

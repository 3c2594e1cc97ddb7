import {
  createContextKey,
  type HandlerContext,
  type MethodImplSpec,
  type ServiceImplSpec,
} from '@connectrpc/connect';
import { DiscoveryError } from '../../discovery/errors.ts';
import { onEnd } from '../../on-end.ts';
import { connectError } from '../../rpc/errors.ts';

/** Has `end` called when the caller of a request is known no more. Returns what forgets it. */
export type Hold = (end: () => void) => () => void;

/** Where a call carries it. */
export const HOLD = createContextKey<Hold>(() => () => {});

/** The services, with streams that end with a refusal when their caller is known no more. */
export function heldStreams(services: readonly ServiceImplSpec[]): readonly ServiceImplSpec[] {
  return services.map(({ methods, ...service }) => ({
    ...service,
    methods: Object.fromEntries(Object.entries(methods).map(([name, spec]) => [name, held(spec)])),
  }));
}

type Stream = (input: unknown, context: HandlerContext) => AsyncIterable<unknown>;

function held(spec: MethodImplSpec): MethodImplSpec {
  if (spec.kind !== 'server_streaming' && spec.kind !== 'bidi_streaming') return spec;
  const answer = spec.impl as Stream;
  const impl: Stream = async function* (input, context) {
    const abort = new AbortController();
    let hasLeft = false;
    const forget = context.values.get(HOLD)(() => {
      hasLeft = true;
      abort.abort(knownNoMore());
    });
    const leave = onEnd(context.signal, () => {
      forget();
      abort.abort(context.signal.reason);
    });
    try {
      yield* answer(input, withSignal(context, abort.signal));
      if (hasLeft) throw knownNoMore();
    } finally {
      leave();
    }
  };
  return { ...spec, impl } as MethodImplSpec;
}

/** The same context, but for what ends the call. */
function withSignal(context: HandlerContext, signal: AbortSignal): HandlerContext {
  return new Proxy(context, {
    get(target, key) {
      if (key === 'signal') return signal;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function knownNoMore() {
  const words =
    'these credentials are known no more: use those that the operator of this service has given out';
  return connectError(new DiscoveryError('UNAUTHENTICATED', words));
}

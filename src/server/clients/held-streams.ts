import type { HandlerContext, MethodImplSpec, ServiceImplSpec } from '@connectrpc/connect';
import { DiscoveryError } from '../../discovery/errors.ts';
import { onEnd } from '../../on-end.ts';
import { connectError } from '../../rpc/errors.ts';

/** Hold calls `end` when the caller of a call is no longer known. Returns a function that cancels this. */
export type Hold = (call: HandlerContext, end: () => void) => () => void;

/** Returns the services with streams that end with an error when their caller is no longer known. */
export function heldStreams(services: readonly ServiceImplSpec[], hold: Hold): readonly ServiceImplSpec[] {
  return services.map(({ methods, ...service }) => ({
    ...service,
    methods: Object.fromEntries(Object.entries(methods).map(([name, spec]) => [name, held(spec, hold)])),
  }));
}

type Stream = (input: unknown, context: HandlerContext) => AsyncIterable<unknown>;

function held(spec: MethodImplSpec, hold: Hold): MethodImplSpec {
  if (spec.kind !== 'server_streaming' && spec.kind !== 'bidi_streaming') return spec;
  const answer = spec.impl as Stream;
  const impl: Stream = async function* (input, context) {
    const abort = new AbortController();
    let hasLeft = false;
    const forget = hold(context, () => {
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

/** Returns the same context with another signal. */
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
  const words = 'these credentials were revoked; use credentials that the operator of the service issued';
  return connectError(new DiscoveryError('UNAUTHENTICATED', words));
}

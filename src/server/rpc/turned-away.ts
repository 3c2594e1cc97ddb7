import { type ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import type { UniversalServerRequest } from '@connectrpc/connect/protocol';

/** The context key with the error of a call that Connect rejects without reading its body. */
export const TURNED_AWAY = createContextKey<ConnectError | undefined>(undefined);

/** Problems that Connect would report with other errors. */
const JUDGED_FIRST = [
  'content-encoding',
  'connect-content-encoding',
  'grpc-encoding',
  'content-length',
  'connect-timeout-ms',
  'grpc-timeout',
];

/** A message that every method accepts, for calls with the message in the URL. */
const EMPTY_QUERY = '?connect=v1&encoding=json&message=%7B%7D';

/**
 * Returns the call in a form that Connect rejects with this error, in the call's own protocol, before it
 * reads the body: a call above a limit costs next to nothing.
 */
export function turnedAway(asked: UniversalServerRequest, refusal: ConnectError): UniversalServerRequest {
  for (const name of JUDGED_FIRST) asked.header.delete(name);
  const url = asked.method === 'GET' ? new URL(EMPTY_QUERY, asked.url).href : asked.url;
  return { ...asked, url, body: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal) }) } };
}

/** Rejects the calls that were passed on without a body. */
export const refuseTurnedAway: Interceptor = (next) => (request) => {
  const refusal = request.contextValues.get(TURNED_AWAY);
  return refusal === undefined ? next(request) : Promise.reject(refusal);
};

import { type ConnectError, createContextKey, type Interceptor } from '@connectrpc/connect';
import type { UniversalServerRequest } from '@connectrpc/connect/protocol';

/** Why a call is not answered, where that is known before its body is read. */
export const TURNED_AWAY = createContextKey<ConnectError | undefined>(undefined);

/** What else of a call Connect would refuse, with another reason. */
const JUDGED_FIRST = [
  'content-encoding',
  'connect-content-encoding',
  'grpc-encoding',
  'content-length',
  'connect-timeout-ms',
  'grpc-timeout',
];

/** A message that every method takes, for what has its message in the URL. */
const EMPTY_QUERY = '?connect=v1&encoding=json&message=%7B%7D';

/**
 * The same call as one that Connect refuses with this reason, in the call's own protocol, before it reads anything of
 * the body: a call that is one too many costs next to nothing.
 */
export function turnedAway(asked: UniversalServerRequest, refusal: ConnectError): UniversalServerRequest {
  for (const name of JUDGED_FIRST) asked.header.delete(name);
  const url = asked.method === 'GET' ? new URL(EMPTY_QUERY, asked.url).href : asked.url;
  return { ...asked, url, body: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(refusal) }) } };
}

/** Refuses what came without a body. */
export const refuseTurnedAway: Interceptor = (next) => (request) => {
  const refusal = request.contextValues.get(TURNED_AWAY);
  return refusal === undefined ? next(request) : Promise.reject(refusal);
};

import type { Socket } from 'node:net';
import type { PortRequest, PortResponse } from './connection.ts';
import type { Http2Call } from './http2-call.ts';

/** RequestHead is a request of any form, to those that need only its head. */
export type RequestHead = PortRequest | Http2Call;
/** ResponseHead is a response of any form, to those that write no body. */
export type ResponseHead = PortResponse | Http2Call;

/** Returns the socket of a request's connection. In HTTP/2, Node gives each request a socket object of its own. */
export function socketOf(request: RequestHead): Socket {
  if (!('stream' in request) || 'onClose' in request) return request.socket;
  return request.stream.session?.socket ?? request.socket;
}

/** Calls back once a response is over. */
export function onClose(response: ResponseHead, listener: () => void): void {
  if ('onClose' in response) response.onClose(listener);
  else response.on('close', listener);
}

/** Whether a response can no longer be sent: it was, or its client is gone. */
export function isOver(response: ResponseHead): boolean {
  return 'stream' in response ? response.stream.destroyed : response.destroyed;
}

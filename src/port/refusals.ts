/** Why the port itself rejected something, unknown to the handlers: the values of a metric's label. */
export const PORT_REFUSALS = [
  /** Limits of all clients together. */
  'connections',
  'requests',
  /** The connection limit of one client. */
  'client_connections',
  /** Not HTTP, or malformed. */
  'malformed',
  'headers_too_large',
  /** A first byte, a handshake, headers or a body that did not arrive in time. */
  'slow_sender',
  /** A response that is not read. */
  'slow_reader',
  /** More unread responses than one client, or all together, may have. */
  'unread',
  /** An unanswered ping. */
  'gone',
  /** More HTTP/2 traffic than any client sends: streams reset at once, frames without requests. */
  'flood',
  /** A failed TLS handshake. */
  'handshake',
] as const;

export type PortRefusal = (typeof PORT_REFUSALS)[number];
export type OnRefused = (why: PortRefusal) => void;

/** Returns the reason for the HTTP status of a rejection. Undefined if the status is not one. */
export function reasonByStatus(status: number): PortRefusal | undefined {
  if (status < 400) return undefined;
  if (status === 408) return 'slow_sender';
  return status === 431 ? 'headers_too_large' : 'malformed';
}

/** Why the port turned something away by itself, with nobody behind it knowing: a label of a metric. */
export const PORT_REFUSALS = [
  /** The limits of all clients together. */
  'connections',
  'requests',
  /** The connections of one client. */
  'client_connections',
  /** What is not HTTP, or not as it has to be. */
  'malformed',
  'headers_too_large',
  /** What did not arrive in time: a first byte, a handshake, headers, a body. */
  'slow_sender',
  /** An answer that is not read. */
  'slow_reader',
  /** More of such answers than one client, or all of them, may have. */
  'unread',
  /** A ping that is not answered. */
  'gone',
  /** More of HTTP/2 than any client sends: streams that are reset at once, frames that are no request. */
  'flood',
  /** A TLS handshake that failed. */
  'handshake',
] as const;

export type PortRefusal = (typeof PORT_REFUSALS)[number];
export type OnRefused = (why: PortRefusal) => void;

/** Why, by the HTTP status of the refusal; undefined when it is none. */
export function reasonByStatus(status: number): PortRefusal | undefined {
  if (status < 400) return undefined;
  if (status === 408) return 'slow_sender';
  return status === 431 ? 'headers_too_large' : 'malformed';
}

import type { IncomingMessage } from 'node:http';
import type { RequestHead } from './heads.ts';

/**
 * A host name or address with an optional port: without characters that could end a URL's host, a line or a
 * shell quote.
 */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?$/;

/** Cached, because nearly all requests name the same host as the one before. */
let lastAuthority = 'localhost';

/**
 * Whether the authority of a request is a valid host. The pattern also matches hosts that URLs reject, such
 * as 1.2.3.4.5.
 */
export function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  const good = AUTHORITY.test(text) && URL.canParse(`http://${text}/`);
  if (good) lastAuthority = text;
  return good;
}

/** Returns the address that the client connected to, for a request without a host. */
export function localAuthority({ socket }: IncomingMessage): string {
  const { localAddress = 'localhost', localPort = 80 } = socket;
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}

export function schemeOf({ socket }: RequestHead): 'http' | 'https' {
  return 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
}

/** Returns the URL by which the client of a request reached the service, without a trailing slash. */
export function reachedUrl(request: RequestHead): string {
  const authority = 'authority' in request ? request.authority : request.headers.host;
  return `${schemeOf(request)}://${authority ?? 'localhost'}`;
}

import type { IncomingMessage } from 'node:http';
import type { PortRequest } from './connection.ts';

/** A host name or an address, and perhaps a port: nothing that could end a URL's host, a line or a shell's quotes. */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?$/;

/** Nearly all requests name the same host as the one before them. */
let lastAuthority = 'localhost';

/** Whether what a client calls the service is a host. The pattern lets through what no URL takes, like 1.2.3.4.5. */
export function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  const good = AUTHORITY.test(text) && URL.canParse(`http://${text}/`);
  if (good) lastAuthority = text;
  return good;
}

/** The address that was connected to, for a request that names no host. */
export function localAuthority({ socket }: IncomingMessage): string {
  const { localAddress = 'localhost', localPort = 80 } = socket;
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}

export function schemeOf({ socket }: PortRequest): 'http' | 'https' {
  return 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
}

/** The URL by which the client of a request has reached the service, without a slash at the end. */
export function reachedUrl(request: PortRequest): string {
  const authority = 'authority' in request ? request.authority : request.headers.host;
  return `${schemeOf(request)}://${authority ?? 'localhost'}`;
}

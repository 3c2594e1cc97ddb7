import { isIPv6 } from 'node:net';

/** ListenAddress is an address to listen on. Without a host: all addresses of the machine, IPv6 and IPv4. */
export interface ListenAddress {
  readonly host: string | undefined;
  /** The port. 0 lets the system choose a free one. */
  readonly port: number;
  /** The descriptor of a socket that is already listening, instead of the address. */
  readonly fd?: number;
}

/** Parses `:8087`, `host:8087` or `[::1]:8087`. Undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? Number.NaN);
  if (!(port <= 65_535)) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host: bracketed ?? (plain || undefined), port };
}

/** Formats an address as parseListenAddress accepts it. */
export function hostPort({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns a URL that works in a browser on this machine: "all addresses" becomes localhost. */
export function localUrl(scheme: 'http' | 'https', host: string | undefined, port: number): string {
  const every = host === undefined || host === '0.0.0.0' || host === '::';
  return `${scheme}://${hostPort({ host: every ? 'localhost' : host, port })}`;
}

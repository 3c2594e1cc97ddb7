import { isIPv6 } from 'node:net';

/** Where to listen. Without a host: on every address of the machine, IPv6 and IPv4. */
export interface ListenAddress {
  readonly host: string | undefined;
  /** 0 lets the system choose a free one. */
  readonly port: number;
  /** A socket that listens already, wherever that is. */
  readonly fd?: number;
}

/** `:8087`, `host:8087` or `[::1]:8087`; undefined when it is none of them. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits ?? Number.NaN);
  if (!(port <= 65_535)) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host: bracketed ?? (plain || undefined), port };
}

/** A path below which a proxy shows the service. It stands in shell lines and headers, so only plain characters. */
const BASE_PATH = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

/** The base URL by which others reach the service: scheme, host and perhaps a path, no slash at its end. */
export function parsePublicUrl(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const bare = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return bare && BASE_PATH.test(url.pathname) ? url.origin + basePathOf(text) : undefined;
}

/** The path of a base URL, without a slash at its end: empty, or like `/disc`. */
export function basePathOf(baseUrl: string): string {
  return new URL(baseUrl).pathname.replace(/\/$/, '');
}

/** As parseListenAddress takes it. */
export function hostPort({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A URL that a person on this machine can open: "every address" is spelled localhost. */
export function localUrl(scheme: 'http' | 'https', host: string | undefined, port: number): string {
  const every = host === undefined || host === '0.0.0.0' || host === '::';
  return `${scheme}://${hostPort({ host: every ? 'localhost' : host, port })}`;
}

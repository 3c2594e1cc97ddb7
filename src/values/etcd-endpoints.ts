/** The prefix in etcd's documentation of discovery. */
export const DEFAULT_PREFIX = '/_etcd/registry';

const DEFAULT_PORT = '2379';
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+){1,16}$/;
const MAX_PREFIX_LENGTH = 200;
/** The largest etcd clusters have seven members, some with several addresses. */
const MAX_ENDPOINTS = 32;

/** EtcdEndpoint is the address on which one etcd listens for clients. */
export interface EtcdEndpoint {
  /** Undefined if the text had none. */
  readonly scheme: 'http' | 'https' | undefined;
  readonly authority: string;
}

/**
 * Parses `http://host:port`, `https://host:port` or `host:port`, separated by commas. Undefined if any of
 * them is invalid.
 */
export function parseEndpoints(text: string): readonly EtcdEndpoint[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const endpoints = parts.flatMap((part) => parseEndpoint(part) ?? []);
  return endpoints.length === parts.length && parts.length <= MAX_ENDPOINTS ? endpoints : undefined;
}

/** Parses a key prefix such as `/a/b`, without a trailing slash. */
export function parsePrefix(text: string): string | undefined {
  return PREFIX.test(text) && text.length <= MAX_PREFIX_LENGTH ? text : undefined;
}

function parseEndpoint(text: string): EtcdEndpoint | undefined {
  const scheme = /^(https?):\/\//i.exec(text)?.[1]?.toLowerCase() as EtcdEndpoint['scheme'];
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3);
  // URL knows no default port for this scheme, so a port of 80 or 443 is kept.
  const url = URL.canParse(`etcd://${rest}`) ? new URL(`etcd://${rest}`) : undefined;
  if (url === undefined || !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/.test(url.hostname)) return undefined;
  const bare = (url.pathname === '' || url.pathname === '/') && url.search === '' && url.hash === '';
  if (!bare || rest.includes('@')) return undefined;
  return { scheme, authority: `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}` };
}

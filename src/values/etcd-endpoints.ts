/** As etcd itself documents the keys of discovery. */
export const DEFAULT_PREFIX = '/_etcd/registry';

const DEFAULT_PORT = '2379';
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+){1,16}$/;
const MAX_PREFIX_LENGTH = 200;
/** The largest etcd clusters have seven members, some with more than one address. */
const MAX_ENDPOINTS = 32;

/** Where one etcd listens for clients. */
export interface EtcdEndpoint {
  /** Undefined when it was left out. */
  readonly scheme: 'http' | 'https' | undefined;
  readonly authority: string;
}

/** Comma-separated `http://host:port`, `https://host:port` or `host:port`; undefined when one is none of them. */
export function parseEndpoints(text: string): readonly EtcdEndpoint[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const endpoints = parts.flatMap((part) => parseEndpoint(part) ?? []);
  return endpoints.length === parts.length && parts.length <= MAX_ENDPOINTS ? endpoints : undefined;
}

/** Where keys begin: like `/a/b`, without a slash at the end. */
export function parsePrefix(text: string): string | undefined {
  return PREFIX.test(text) && text.length <= MAX_PREFIX_LENGTH ? text : undefined;
}

function parseEndpoint(text: string): EtcdEndpoint | undefined {
  const scheme = /^(https?):\/\//i.exec(text)?.[1]?.toLowerCase() as EtcdEndpoint['scheme'];
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3);
  // A scheme that URL has no default port for, so that a port of 80 or 443 stays.
  const url = URL.canParse(`etcd://${rest}`) ? new URL(`etcd://${rest}`) : undefined;
  if (url === undefined || !/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/.test(url.hostname)) return undefined;
  const bare = (url.pathname === '' || url.pathname === '/') && url.search === '' && url.hash === '';
  if (!bare || rest.includes('@')) return undefined;
  return { scheme, authority: `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}` };
}

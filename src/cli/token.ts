import { parseServerUrl, type ServerUrl } from './server-url.ts';

/** A token as somebody gave it: bare, or as the URL that a node gets. */
export interface TokenArgument {
  readonly token: string;
  /** The service of a URL, with the path that a proxy may have added. */
  readonly server: ServerUrl | undefined;
}

/**
 * What stands before the token, without what belongs to it: the keys of etcd's v2 API, the path of its start lines.
 * Then the token.
 */
const TOKEN_PATH = /^(.*?)(?:\/v2\/keys\/(?:_etcd\/registry|discovery)|\/_start)?\/+([^/]+)\/*$/;
const URL_OF_TOKEN = /^((?:https?:\/\/)?[^/?#]+)(\/[^?#]*)/i;

/** Whether a bare token is one is the service's to say. Undefined: a URL without a token in it. */
export function parseTokenArgument(text: string): TokenArgument | undefined {
  const [, base = '', pathname = ''] = URL_OF_TOKEN.exec(text) ?? [];
  const origin = parseServerUrl(base.replace(/^(https?:\/\/).*@/i, '$1'));
  if (origin === undefined) return text.includes('/') ? undefined : { token: text, server: undefined };
  const [, path = '', token] = TOKEN_PATH.exec(pathname) ?? [];
  const server = parseServerUrl(origin.url + path);
  if (token === undefined || server === undefined) return undefined;
  return { token, server: { ...origin, url: server.url } };
}

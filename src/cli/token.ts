import { parseServerUrl, type ServerUrl } from './server-url.ts';

/** TokenArgument is a token as the user gave it: by itself, or as the URL that nodes get. */
export interface TokenArgument {
  readonly token: string;
  /** The service of a URL, with the path that a proxy may have added. */
  readonly server: ServerUrl | undefined;
}

/**
 * Matches the URL before the token, then the token. The path of etcd's v2 API or of the start lines is not
 * part of the service's URL.
 */
const TOKEN_PATH = /^(.*?)(?:\/v2\/keys\/(?:_etcd\/registry|discovery)|\/_start)?\/+([^/]+)\/*$/;
const URL_OF_TOKEN = /^((?:https?:\/\/)?[^/?#]+)(\/[^?#]*)/i;

/** Parses a token or its URL. The service validates the token itself. Undefined: a URL without a token. */
export function parseTokenArgument(text: string): TokenArgument | undefined {
  const [, base = '', pathname = ''] = URL_OF_TOKEN.exec(text) ?? [];
  const origin = parseServerUrl(base.replace(/^(https?:\/\/).*@/i, '$1'));
  if (origin === undefined) return text.includes('/') ? undefined : { token: text, server: undefined };
  const [, path = '', token] = TOKEN_PATH.exec(pathname) ?? [];
  const server = parseServerUrl(origin.url + path);
  if (token === undefined || server === undefined) return undefined;
  return { token, server: { ...origin, url: server.url } };
}

/** A token as somebody gave it: bare, or as the URL that a node gets. */
export interface TokenArgument {
  readonly token: string;
  /** The service of a URL, with the path that a proxy may have added. */
  readonly server: string | undefined;
}

/** Whether a bare token is one is the service's to say. Undefined: a URL without a token in it. */
export function parseTokenArgument(text: string): TokenArgument | undefined {
  if (!/^https?:\/\//i.test(text)) return { token: text, server: undefined };
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  const [, path = '', token] = TOKEN_PATH.exec(pathname) ?? [];
  return token === undefined ? undefined : { token, server: origin + path };
}

/** What stands before the token, without the keys of etcd's v2 API, which belong to the token; and the token. */
const TOKEN_PATH = /^(.*?)(?:\/v2\/keys\/(?:_etcd\/registry|discovery))?\/+([^/]+)\/*$/;

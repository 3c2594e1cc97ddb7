/** A token as somebody gave it: bare, or as the URL that a node gets. */
export interface TokenArgument {
  readonly token: string;
  /** The service of a URL. */
  readonly server: string | undefined;
}

/** Whether a bare token is one is the service's to say. Undefined: a URL without a token in it. */
export function parseTokenArgument(text: string): TokenArgument | undefined {
  if (!/^https?:\/\//i.test(text)) return { token: text, server: undefined };
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  const token = pathname.split('/').findLast((part) => part !== '');
  return token === undefined ? undefined : { token, server: origin };
}

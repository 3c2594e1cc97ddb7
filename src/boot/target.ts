/** BootTarget is the parsed target of a request. */
export interface BootTarget {
  /** The token, with its secret if it has one. Undefined if the path does not name a token. */
  readonly token: string | undefined;
  /** The path without the part that may be a token. */
  readonly shown: string;
  /** The query without its question mark. */
  readonly query: string;
}

export const BOOT_PATH = '/_start/';

/** Parses the target of a request. */
export function startTargetOf(url: string): BootTarget {
  const [path = ''] = url.split(/[?#]/, 1);
  const query = /\?([^#]*)/.exec(url)?.[1] ?? '';
  const [token = '', ...deeper] = path.slice(BOOT_PATH.length).replace(/\/$/, '').split('/');
  const shown = deeper.length === 0 ? BOOT_PATH : `${BOOT_PATH}.../...`;
  return { token: token === '' || deeper.length > 0 ? undefined : decoded(token), shown, query };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Keeps the text: the error about the token will mention the percent sign.
    return text;
  }
}

/** What a request is about. */
export interface Target {
  /** With its secret, if it has one. Undefined: the path is not that of a token. */
  readonly token: string | undefined;
  /** The path without what may be a token. */
  readonly shown: string;
  /** Without its question mark. */
  readonly query: string;
}

export const BOOT_PATH = '/_start/';

/** Takes the target of a request apart. */
export function targetOf(url: string): Target {
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
    // No token has a percent sign, which is then said of it.
    return text;
  }
}

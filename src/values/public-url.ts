/**
 * A path below which a proxy exposes the service. It appears in shell commands and headers, so only plain
 * characters are allowed.
 */
const BASE_PATH = /^(?:\/[A-Za-z0-9._~-]+)*\/?$/;

/** Parses the public base URL of the service: scheme, host and an optional path, without a trailing slash. */
export function parsePublicUrl(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const bare = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return bare && BASE_PATH.test(url.pathname) ? url.origin + withoutSlash(url.pathname) : undefined;
}

/** Returns the path of a base URL without a trailing slash: empty, or for example `/disc`. */
export function basePathOf(baseUrl: string): string {
  return withoutSlash(new URL(baseUrl).pathname);
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '');
}

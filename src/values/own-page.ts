/** What a browser says of the page that sends a request, among its headers. */
export interface PageHeaders {
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly ':authority'?: string | undefined;
}

/**
 * Whether a request was sent by a page of this service or by its user's own hand, and not by another site through a
 * browser. Programs do not say where they come from, nor hold anything that another site could misuse.
 */
export function isFromOwnPage(headers: PageHeaders, serviceUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined) return true;
  const authority = headers[':authority'] ?? headers.host;
  // A proxy in front may speak TLS, so the scheme can be another one than here.
  const from = URL.canParse(origin) ? new URL(origin).host : undefined;
  const own = URL.canParse(serviceUrl) ? new URL(serviceUrl).host : undefined;
  return from !== undefined && (from === authority || from === own);
}

/** PageHeaders are the headers by which a browser identifies the page that sent a request. */
export interface PageHeaders {
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly ':authority'?: string | undefined;
}

/**
 * Whether a request comes from a page of this service or directly from the user, and not from another site
 * through the user's browser. Programs do not send these headers, and hold nothing that another site could
 * abuse.
 */
export function isFromOwnPage(headers: PageHeaders, serviceUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined) return true;
  const authority = headers[':authority'] ?? headers.host;
  // A proxy may terminate TLS, so the scheme can differ from ours.
  const from = URL.canParse(origin) ? new URL(origin).host : undefined;
  const own = URL.canParse(serviceUrl) ? new URL(serviceUrl).host : undefined;
  return from !== undefined && (from === authority || from === own);
}

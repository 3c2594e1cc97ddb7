import { parsePublicUrl } from '../values/public-url.ts';

/** ServerUrl is the URL of a service as the user wrote it. */
export interface ServerUrl {
  readonly url: string;
  /** Whether the scheme was omitted, as in `localhost:8087`. */
  readonly isAssumed: boolean;
}

/** The accepted URLs of a service, phrased to follow "takes". */
export const SERVER_URL_TAKEN =
  'a URL like http://localhost:8087 or https://example.com/disc; host:port means http';

/** A host with a port and an optional path. Without a port it is unclear whether http or https is meant. */
const HOST_AND_PORT = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}(?:\/|$)/;

/** Parses the URL of a service. Undefined if it is invalid, or does not say whether to use TLS. */
export function parseServerUrl(text: string): ServerUrl | undefined {
  if (!HOST_AND_PORT.test(text)) {
    const url = parsePublicUrl(text);
    return url === undefined ? undefined : { url, isAssumed: false };
  }
  const scheme = /:443(?:\/|$)/.test(text) ? 'https' : 'http';
  const url = parsePublicUrl(`${scheme}://${text}`);
  return url === undefined ? undefined : { url, isAssumed: true };
}

/** Returns the URL to call. TLS files decide about an omitted scheme. */
export function schemeFor({ url, isAssumed }: ServerUrl, hasTlsFiles: boolean): string {
  return isAssumed && hasTlsFiles ? url.replace(/^http:/, 'https:') : url;
}

import { parsePublicUrl } from '../values/address.ts';

/** Where a service is, as a person wrote it. */
export interface ServerUrl {
  readonly url: string;
  /** Whether the scheme was left out, as in `localhost:8087`. */
  readonly isAssumed: boolean;
}

/** What a client's URL of a service must be, to go on after "takes". */
export const SERVER_URL_TAKEN =
  'a URL like http://localhost:8087 or https://example.com/disc; of host:port alone the scheme is taken to be http';

/** A host with a port, and perhaps a path. Without a port nothing says whether http or https was meant. */
const HOST_AND_PORT = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}(?:\/|$)/;

/** Where a service is; undefined when the text does not say it, or not whether to use TLS. */
export function parseServerUrl(text: string): ServerUrl | undefined {
  if (!HOST_AND_PORT.test(text)) {
    const url = parsePublicUrl(text);
    return url === undefined ? undefined : { url, isAssumed: false };
  }
  const scheme = /:443(?:\/|$)/.test(text) ? 'https' : 'http';
  const url = parsePublicUrl(`${scheme}://${text}`);
  return url === undefined ? undefined : { url, isAssumed: true };
}

/** The URL to call. Files for TLS say what a scheme would have said. */
export function schemeFor({ url, isAssumed }: ServerUrl, hasTlsFiles: boolean): string {
  return isAssumed && hasTlsFiles ? url.replace(/^http:/, 'https:') : url;
}

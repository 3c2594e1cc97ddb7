import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { PortLimits } from './port-limits.ts';
import type { Refusal } from './port-reply.ts';

/** A name or an address, and perhaps a port: no user, no path, nothing that a URL cannot hold. */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{1,5})?$/;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s;
const METHODS = 'GET, HEAD, POST, PUT, DELETE, OPTIONS';

/**
 * Looks at a request before any handler does. Returns what to refuse it with, or undefined; then `url` begins
 * with a slash and `headers.host` (HTTP/1) or `authority` (HTTP/2) can stand in a URL. The path's characters
 * are as they came: percent-escapes undecoded, and bytes above 0x7f as one latin1 character each.
 */
export function check(
  request: IncomingMessage | Http2ServerRequest,
  limits: PortLimits,
): Refusal | undefined {
  return 'stream' in request ? checkHttp2(request) : checkHttp1(request, limits);
}

function checkHttp1(request: IncomingMessage, limits: PortLimits): Refusal | undefined {
  if (request.rawHeaders.length > 2 * limits.headers) {
    return { status: 431, text: `Too many headers: at most ${limits.headers} are accepted.` };
  }
  const hosts = request.headersDistinct['host'] ?? [];
  if (hosts.length > 1) return badRequest('it has several Host headers');
  if (hosts.length === 0 && request.httpVersion === '1.1') {
    return badRequest('it has no Host header, which HTTP/1.1 needs');
  }
  // HTTP/1.0 needs no Host: the address that was connected to is what the client called us.
  let host = hosts[0] ?? localAuthority(request);
  const absolute = ABSOLUTE.exec(request.url ?? '');
  if (absolute !== null) {
    const [, scheme = '', authority = '', rest = ''] = absolute;
    if (scheme.toLowerCase() !== 'http') {
      return badRequest('its target is a URL of another scheme; this is not a proxy');
    }
    // The target's authority counts, and Host is to be ignored (RFC 9112, 3.2.2).
    host = authority;
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
  }
  request.headers.host = host;
  if (!isAuthority(host)) return badRequest('its Host is not a host name or address with an optional port');
  return checkTarget(request);
}

function checkHttp2(request: Http2ServerRequest): Refusal | undefined {
  const { authority, headers } = request;
  if (authority === undefined || !isAuthority(authority)) {
    return badRequest('its :authority is not a host name or address with an optional port');
  }
  if (headers.host !== undefined && headers.host !== authority) {
    return badRequest('its Host and :authority differ');
  }
  return checkTarget(request);
}

function checkTarget(request: IncomingMessage | Http2ServerRequest): Refusal | undefined {
  const { method, url = '' } = request;
  if (url === '*' && method === 'OPTIONS') return { status: 204, text: '', headers: { Allow: METHODS } };
  if (!url.startsWith('/')) return badRequest('its target does not begin with a slash');
  return undefined;
}

/** The pattern lets through what no URL takes, like the address 1.2.3.4.5 or the escape %zz. */
function isAuthority(text: string): boolean {
  return AUTHORITY.test(text) && URL.canParse(`http://${text}/`);
}

function localAuthority({ socket }: IncomingMessage): string {
  const { localAddress = 'localhost', localPort = 80 } = socket;
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}

const badRequest = (why: string): Refusal => ({ status: 400, text: `Bad request: ${why}.` });

import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { PortLimits } from './limits.ts';
import { isAuthority, localAuthority, schemeOf } from './reached-url.ts';
import { METHODS, type Refusal } from './reply.ts';

/** Of all that are known, the longest has 17 letters. */
const METHOD = /^[A-Za-z-]{1,20}$/;
const PATH = /^\/[\x21-\x7e]*$/;
/** As Node has it. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s;

/**
 * Looks at a request before any handler does. Returns what to refuse it with, or undefined; then `url` is a
 * slash and printable ASCII, its percent-escapes as they came, right or wrong, and `headers.host` (HTTP/1) or
 * `authority` (HTTP/2) can stand in a URL. Both are corrected in the request itself: connect-node makes the URL of
 * a call of them, and throws where there is no Host or a bad one.
 */
export function checkRequest(
  request: IncomingMessage | Http2ServerRequest,
  limits: PortLimits,
): Refusal | undefined {
  const refusal = 'stream' in request ? checkHttp2(request, limits) : checkHttp1(request, limits);
  return refusal ?? checkExpectation(request.headers.expect);
}

function checkExpectation(expect: string | undefined): Refusal | undefined {
  if (expect === undefined || CONTINUE.test(expect)) return undefined;
  return { status: 417, text: 'The Expect of the request is not known: only 100-continue is.' };
}

function checkHttp1(request: IncomingMessage, limits: PortLimits): Refusal | undefined {
  if (request.rawHeaders.length > 2 * limits.headers) {
    return { status: 431, text: `Too many headers: at most ${limits.headers} are accepted.` };
  }
  // Node takes HTTP/0.9 and a 2.0 without the preface for requests as well.
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    return { status: 505, text: 'Only HTTP/1.0, HTTP/1.1 and HTTP/2 with its preface are spoken here.' };
  }
  const hosts = countHosts(request);
  if (hosts > 1) return badRequest('it has several Host headers');
  if (hosts === 0 && request.httpVersion === '1.1') {
    return badRequest('it has no Host header, which HTTP/1.1 needs');
  }
  // HTTP/1.0 needs no Host: the address that was connected to is what the client called us.
  if (hosts === 0) request.headers.host = localAuthority(request);
  const refusal = request.url?.startsWith('/') ? undefined : takeApart(request);
  if (refusal !== undefined) return refusal;
  return isAuthority(request.headers.host ?? '')
    ? undefined
    : badRequest('its Host is not a host name or address with an optional port');
}

/** `headers` has only the first one. */
function countHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** A target that is not a path: `*`, or a URL, whose authority counts and not the one of Host (RFC 9112, 3.2.2). */
function takeApart(request: IncomingMessage): Refusal | undefined {
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(request.url ?? '') ?? [];
  if (scheme === undefined) return checkTarget(request);
  if (scheme.toLowerCase() !== schemeOf(request)) {
    return badRequest('its target is a URL of another scheme; this is not a proxy');
  }
  request.headers.host = authority;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  return undefined;
}

function checkHttp2(request: Http2ServerRequest, limits: PortLimits): Refusal | undefined {
  const { authority, headers, rawHeaders } = request;
  // Node enforces the size in SETTINGS only on clients that acknowledge it.
  if (rawHeaders.reduce((bytes, text) => bytes + text.length, 0) > limits.headerBytes) {
    return {
      status: 431,
      text: `The headers are too large: at most ${limits.headerBytes} bytes are accepted.`,
    };
  }
  if (authority === undefined || !isAuthority(authority)) {
    return badRequest('its :authority is not a host name or address with an optional port');
  }
  if (headers.host !== undefined && headers.host !== authority) {
    return badRequest('its Host and :authority differ');
  }
  // HTTP/1 has its parser for this too.
  if (!METHOD.test(request.method)) return badRequest('its method is no word of letters');
  return checkTarget(request);
}

function checkTarget(request: IncomingMessage | Http2ServerRequest): Refusal | undefined {
  const { method, url = '' } = request;
  if (url === '*' && method === 'OPTIONS') return { status: 204, text: '', headers: { Allow: METHODS } };
  // HTTP/1 has its parser for this, HTTP/2 lets through bytes above 0x7f.
  if (!PATH.test(url)) return badRequest('its target is not a path of printable ASCII');
  return undefined;
}

const badRequest = (why: string): Refusal => ({ status: 400, text: `Bad request: ${why}.` });

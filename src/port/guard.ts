import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { RequestHead } from './heads.ts';
import type { Http2Call } from './http2-call.ts';
import type { PortLimits } from './limits.ts';
import { isAuthority, localAuthority, schemeOf } from './reached-url.ts';
import { METHODS, type Refusal } from './reply.ts';

/** The longest known method has 17 letters. */
const METHOD = /^[A-Za-z-]{1,20}$/;
const PATH = /^\/[\x21-\x7e]*$/;
/** The same pattern as Node's. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s;

/**
 * Validates a request before any handler sees it. Returns the rejection, or undefined; then `url` is a slash
 * and printable ASCII, with its percent-escapes unchanged, valid or not, and `headers.host` (HTTP/1) or
 * `authority` (HTTP/2) can appear in a URL. Both are corrected in the request itself: connect-node builds the
 * URL of a call from them, and throws if Host is missing or invalid.
 */
export function checkRequest(request: RequestHead, limits: PortLimits): Refusal | undefined {
  const refusal = 'stream' in request ? checkHttp2(request, limits) : checkHttp1(request, limits);
  return refusal ?? checkExpectation(request.headers.expect);
}

function checkExpectation(expect: string | undefined): Refusal | undefined {
  if (expect === undefined || CONTINUE.test(expect)) return undefined;
  return { status: 417, text: 'Unknown Expect header: only 100-continue is supported.' };
}

function checkHttp1(request: IncomingMessage, limits: PortLimits): Refusal | undefined {
  if (request.rawHeaders.length > 2 * limits.headers) {
    return { status: 431, text: `Too many headers: at most ${limits.headers} are accepted.` };
  }
  // Node also accepts HTTP/0.9, and 2.0 without the preface.
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0') {
    return {
      status: 505,
      text: 'Unsupported HTTP version: use HTTP/1.0, HTTP/1.1, or HTTP/2 with its preface.',
    };
  }
  const hosts = countHosts(request);
  if (hosts > 1) return badRequest('more than one Host header');
  if (hosts === 0 && request.httpVersion === '1.1') {
    return badRequest('the Host header is missing, and HTTP/1.1 requires it');
  }
  // HTTP/1.0 does not require Host: the address that the client connected to takes its place.
  if (hosts === 0) request.headers.host = localAuthority(request);
  const refusal = request.url?.startsWith('/') ? undefined : takeApart(request);
  if (refusal !== undefined) return refusal;
  return isAuthority(request.headers.host ?? '')
    ? undefined
    : badRequest('the Host header is not a host name or address with an optional port');
}

/** Counts the raw headers, because `headers` has only the first Host. */
function countHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** Handles a target that is not a path: `*`, or a URL, whose authority overrides Host (RFC 9112, 3.2.2). */
function takeApart(request: IncomingMessage): Refusal | undefined {
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(request.url ?? '') ?? [];
  if (scheme === undefined) return checkTarget(request);
  if (scheme.toLowerCase() !== schemeOf(request)) {
    return badRequest('the request target is a URL with another scheme; this is not a proxy');
  }
  request.headers.host = authority;
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  return undefined;
}

function checkHttp2(request: Http2ServerRequest | Http2Call, limits: PortLimits): Refusal | undefined {
  const { authority, headers, rawHeaders } = request;
  // Node enforces the size in SETTINGS only for clients that acknowledge it.
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  if (bytes > limits.headerBytes) {
    return {
      status: 431,
      text: `Headers too large: at most ${limits.headerBytes} bytes are accepted.`,
    };
  }
  if (authority === undefined || !isAuthority(authority)) {
    return badRequest(':authority is not a host name or address with an optional port');
  }
  if (headers.host !== undefined && headers.host !== authority) {
    return badRequest('the Host header and :authority differ');
  }
  // In HTTP/1 the parser checks this.
  if (!METHOD.test(request.method)) return badRequest('the method must consist of letters');
  return checkTarget(request);
}

function checkTarget(request: RequestHead): Refusal | undefined {
  const { method, url = '' } = request;
  if (url === '*' && method === 'OPTIONS') return { status: 204, text: '', headers: { Allow: METHODS } };
  // The parser of HTTP/1 checks this; HTTP/2 lets bytes above 0x7f through.
  if (!PATH.test(url)) return badRequest('the request target is not a path of printable ASCII characters');
  return undefined;
}

const badRequest = (why: string): Refusal => ({ status: 400, text: `Bad request: ${why}.` });

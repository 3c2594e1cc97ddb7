import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

export type PageRequest = IncomingMessage | Http2ServerRequest;
export type PageResponse = ServerResponse | Http2ServerResponse;

/** Reply is a complete response. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Allows only the service's own files, no inline code, and no framing. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const ALWAYS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

const DOCUMENT = {
  ...ALWAYS,
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  // The same URL gives programs another format.
  Vary: 'Accept',
  'X-Frame-Options': 'DENY',
  'X-Robots-Tag': 'noindex, nofollow',
} as const;

/** A page whose URL contains a token, which is a secret: it is not cached, and not sent as a referrer. */
export function secretDocument(status: number, html: string | Buffer): Reply {
  return {
    status,
    headers: { ...DOCUMENT, 'Referrer-Policy': 'no-referrer' },
    body: html,
  };
}

/** A page without a token in its URL. Its form reveals its origin to this service only. */
export function openDocument(status: number, html: string): Reply {
  return {
    status,
    headers: { ...DOCUMENT, 'Referrer-Policy': 'same-origin' },
    body: html,
  };
}

/** A redirect that is followed with GET. `location` may be relative. */
export function seeOther(location: string): Reply {
  return {
    status: 303,
    headers: { ...ALWAYS, 'Referrer-Policy': 'no-referrer', Location: location },
    body: '',
  };
}

export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { ...ALWAYS, 'Content-Type': 'text/plain; charset=utf-8', ...headers },
    body: `${text}\n`,
  };
}

/** A built file, named after its content. */
export function file(type: string, body: Buffer, encoding: 'gzip' | undefined): Reply {
  return {
    status: 200,
    headers: {
      ...ALWAYS,
      'Content-Type': type,
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
      ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    },
    body,
  };
}

export function send(request: PageRequest, response: PageResponse, { status, headers, body }: Reply): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (status === 401 && headers['WWW-Authenticate'] === undefined)
    response.setHeader('WWW-Authenticate', 'Basic realm="etcd-discovery"');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

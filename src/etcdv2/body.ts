import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { REQUEST_LIMITS } from '../limits.ts';
import type { Deadlines } from './deadlines.ts';

export type Request = IncomingMessage | Http2ServerRequest;

/** BodyResult is the text of a request's body, or why there is none. GONE: the client disconnected. */
export type BodyResult =
  | { readonly type: 'FORM' | 'OTHER'; readonly text: string }
  | { readonly type: 'NONE' | 'NOT_A_FORM' | 'TOO_LARGE' | 'TOO_SLOW' | 'GONE' };

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/**
 * Reads the body of a request, if it is a form or `readsOther` is set. Unread bytes are discarded when the
 * request ends.
 */
export function readBody(
  request: Request,
  deadlines: Deadlines,
  readsOther = false,
): Promise<BodyResult> | BodyResult {
  const { headers } = request;
  const length = headers['content-length'];
  if (length === '0' || (length === undefined && !hasUnknownLength(request))) return { type: 'NONE' };
  const type = FORM_TYPE.test(headers['content-type'] ?? '') ? 'FORM' : 'OTHER';
  if (type === 'OTHER' && !readsOther) return { type: 'NOT_A_FORM' };
  if (length !== undefined && Number(length) > REQUEST_LIMITS.v2BodyBytes) return { type: 'TOO_LARGE' };
  // A node sends the body with the headers, so all of it has almost always arrived.
  if (!('stream' in request) && request.complete) return textOf(request.read() as Buffer | null, type);
  return collect(request, deadlines, type);
}

function textOf(bytes: Buffer | null, type: 'FORM' | 'OTHER'): BodyResult {
  if (bytes === null) return { type, text: '' };
  return bytes.length > REQUEST_LIMITS.v2BodyBytes ? { type: 'TOO_LARGE' } : { type, text: bytes.toString() };
}

function hasUnknownLength(request: Request): boolean {
  if ('stream' in request) return !request.stream.endAfterHeaders;
  return request.headers['transfer-encoding'] !== undefined;
}

function collect(request: Request, deadlines: Deadlines, type: 'FORM' | 'OTHER'): Promise<BodyResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (body: BodyResult): void => {
      deadlines.remove(deadline);
      request.off('data', take).off('end', finish).off('close', hangUp);
      resolve(body);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > REQUEST_LIMITS.v2BodyBytes) settle({ type: 'TOO_LARGE' });
      else chunks.push(chunk);
    };
    const finish = (): void => settle({ type, text: Buffer.concat(chunks).toString() });
    const hangUp = (): void => settle({ type: 'GONE' });
    const deadline = deadlines.add(() => settle({ type: 'TOO_SLOW' }));
    request.on('data', take).on('end', finish).on('close', hangUp);
  });
}

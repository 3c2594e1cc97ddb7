import { cors } from '@connectrpc/connect';
import type { PortRequest, PortResponse } from './port.ts';

/** As long as browsers remember the answer to a preflight at most. */
const MAX_AGE_S = 7200;

/**
 * Lets the pages of some origins (`*`: of all) call RPCs from their scripts. The returned function adds to the
 * headers of a response, and answers a preflight itself: then it returns true.
 */
export function crossOrigin(
  origins: readonly string[],
): (request: PortRequest, response: PortResponse) => boolean {
  const allowed = new Set(origins);
  const all = allowed.has('*');
  return (request, response) => {
    const { origin } = request.headers;
    if (origin === undefined || allowed.size === 0) return false;
    if (!all) response.setHeader('Vary', 'Origin');
    if (!all && !allowed.has(origin)) return false;
    response.setHeader('Access-Control-Allow-Origin', all ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', cors.exposedHeaders.join(', '));
    const asked = request.headers['access-control-request-method'];
    if (request.method !== 'OPTIONS' || asked === undefined) return false;
    response.setHeader('Access-Control-Allow-Methods', cors.allowedMethods.join(', '));
    // Authorization for a proxy in front that asks for it.
    response.setHeader('Access-Control-Allow-Headers', [...cors.allowedHeaders, 'Authorization'].join(', '));
    response.setHeader('Access-Control-Max-Age', MAX_AGE_S);
    response.writeHead(204).end();
    return true;
  };
}

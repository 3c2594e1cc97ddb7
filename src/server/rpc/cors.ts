import { cors } from '@connectrpc/connect';
import type { PortRequest, PortResponse } from '../../port/port.ts';

const EVERY_ANSWER = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': cors.exposedHeaders.join(', '),
};
const PREFLIGHT = {
  'Access-Control-Allow-Methods': cors.allowedMethods.join(', '),
  // Authorization for a proxy in front that asks for it.
  'Access-Control-Allow-Headers': [...cors.allowedHeaders, 'Authorization'].join(', '),
  // As long as browsers remember it at most.
  'Access-Control-Max-Age': '7200',
};

/**
 * Lets the pages of all origins call RPCs, as they may call the v2 dialect: a call proves itself by the token that
 * it holds, never by a cookie. True when the request was a preflight, which is answered here.
 */
export function allowCrossOrigin(request: PortRequest, response: PortResponse): boolean {
  if (request.headers.origin === undefined) return false;
  for (const [name, value] of Object.entries(EVERY_ANSWER)) response.setHeader(name, value);
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, PREFLIGHT).end();
  return true;
}

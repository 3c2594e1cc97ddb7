import { cors } from '@connectrpc/connect';
import type { PortRequest, PortResponse } from '../../port/port.ts';

const EVERY_ANSWER = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': cors.exposedHeaders.join(', '),
};
const PREFLIGHT = {
  'Access-Control-Allow-Methods': cors.allowedMethods.join(', '),
  // Authorization, for a proxy that requires it.
  'Access-Control-Allow-Headers': [...cors.allowedHeaders, 'Authorization'].join(', '),
  // The maximum that browsers accept.
  'Access-Control-Max-Age': '7200',
};

/**
 * Lets pages of all origins call RPCs, like the v2 dialect: a call is authorised by its token, never by a
 * cookie. True if the request was a preflight, which is answered here.
 */
export function allowCrossOrigin(request: PortRequest, response: PortResponse): boolean {
  if (request.headers.origin === undefined) return false;
  for (const [name, value] of Object.entries(EVERY_ANSWER)) response.setHeader(name, value);
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, PREFLIGHT).end();
  return true;
}

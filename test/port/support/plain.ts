import type { PortLimits } from '../../../src/port/limits.ts';
import { openPort, type Port, type PortHandler, type PortLog } from '../../../src/port/port.ts';
import type { TlsIdentity } from '../../../src/port/tls.ts';

/** Timeouts of about a second, in ms: they behave like the real ones, without the wait. */
export const SHORT: Partial<PortLimits> = {
  sniffTimeout: 1000,
  handshakeTimeout: 1000,
  headersTimeout: 1000,
  requestTimeout: 1500,
  unreadBodyTimeout: 500,
  keepAliveTimeout: 1000,
  pingInterval: 500,
  pingTimeout: 1500,
  stallTimeout: 1500,
  lingerTimeout: 300,
  sweepInterval: 100,
};

/** A pause of the process that is too long for these timeouts. */
export const PAUSE_MS = 250;

/** A line that the port logged. */
export interface Logged {
  readonly level: 'warn' | 'error';
  readonly text: string;
  readonly fields: Record<string, unknown>;
}

export interface PlainPort extends Port {
  readonly logged: readonly Logged[];
}

/** Opens a port on 127.0.0.1 with the test's own handler. */
export async function openPlainPort(
  handler: PortHandler,
  limits: Partial<PortLimits> = SHORT,
  tls?: TlsIdentity,
): Promise<PlainPort> {
  const logged: Logged[] = [];
  const line =
    (level: Logged['level']) =>
    (fields: object, text: string): void => {
      logged.push({ level, text, fields: { ...fields } });
    };
  const log: PortLog = { warn: line('warn'), error: line('error') };
  return { ...(await openPort({ host: '127.0.0.1', port: 0, handler, log, limits, tls })), logged };
}

/** Responds to each path as the rows require, and to other paths with the request. */
export const handleRow: PortHandler = async (request, response) => {
  const { method, url, headers } = request;
  const host = 'authority' in request ? request.authority : headers.host;
  if (url === '/never') return;
  if (url === '/body') for await (const _ of request);
  if (url === '/part') for await (const _ of request.iterator({ destroyOnReturn: false })) break;
  // Not in the same turn: a response later than the next bytes is the harder case.
  await new Promise(setImmediate);
  if (url === '/unread') response.statusCode = 204;
  if (url === '/headers') response.statusCode = headers['x'] === undefined ? 204 : 500;
  const body = url === '/large' ? Buffer.alloc(1_000_000) : Buffer.from(`${method} ${url} at ${host}`);
  if (response.statusCode === 200) response.setHeader('Content-Length', body.length);
  response.end(response.statusCode === 200 ? body : '');
};

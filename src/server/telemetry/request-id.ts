import { randomBytes } from 'node:crypto';
import type { RequestHead } from '../../port/port.ts';

/** Characters that are safe in headers and in log lines, however those are displayed. */
const SANE = /^[\w.:+/=-]{1,128}$/;

/** Random for each process, so that replicas and restarts produce different IDs. */
const PREFIX = randomBytes(5).toString('hex');
let given = 0;

/** Returns the ID of a request in the logs: its caller's (`X-Request-Id`), or a new one. */
export function requestIdOf({ headers }: RequestHead): string {
  const asked = headers['x-request-id'];
  if (typeof asked === 'string' && SANE.test(asked)) return asked;
  given += 1;
  return `${PREFIX}-${given.toString(36)}`;
}

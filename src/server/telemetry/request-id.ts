import { randomBytes } from 'node:crypto';
import type { PortRequest } from '../../port/port.ts';

/** What can stand in a header and in a line of a log, wherever that is shown. */
const SANE = /^[\w.:+/=-]{1,128}$/;

/** Of this process, so that replicas and restarts give out different ones. */
const PREFIX = randomBytes(5).toString('hex');
let given = 0;

/** By what a request is found in the logs: what its caller calls it (`X-Request-Id`), or a name that is ours. */
export function requestIdOf({ headers }: PortRequest): string {
  const asked = headers['x-request-id'];
  if (typeof asked === 'string' && SANE.test(asked)) return asked;
  given += 1;
  return `${PREFIX}-${given.toString(36)}`;
}

import { type ErrorCode, MESSAGES } from '../../src/etcdv2/errors.ts';
import { table } from './table.ts';

/** The HTTP statuses of each code, and when the service returns it. */
const WHEN = {
  100: ['404', 'the path, the token or the member does not exist; the token has expired or was deleted'],
  101: ['412', 'a condition on a write does not hold, or a name or peer URL is taken'],
  102: ['403', 'a value was written to a directory'],
  105: ['412', 'the token or the member exists with other settings'],
  108: ['403', 'a directory was deleted without `recursive=true`'],
  110: ['401, 403, 405, 429', 'the call is not allowed: credentials, method, a limit, or a full cluster'],
  201: ['400', '`prevValue` is empty'],
  203: ['400', 'an index is not a number'],
  209: ['400', 'a parameter or a value cannot be accepted; the cause says why'],
  210: [
    '400, 408, 413',
    'the path, the query or the form cannot be read, or the body is too large or too slow',
  ],
  300: ['500, 503', 'the store is unavailable, or the node has to read the list again'],
  301: ['500', 'the service is stopping'],
  401: ['400', '`waitIndex` names a change that is no longer kept, or one of another store'],
} as const satisfies Record<ErrorCode, readonly [statuses: string, when: string]>;

export function v2CodesTable(): string {
  const codes = Object.keys(WHEN).map(Number) as ErrorCode[];
  return table(
    ['`errorCode`', "etcd's message", 'Status', 'When'],
    codes.map((code) => [String(code), MESSAGES[code], ...WHEN[code]]),
  );
}

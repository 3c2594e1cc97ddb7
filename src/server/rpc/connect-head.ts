import { parseTimeout } from '@connectrpc/connect/protocol-connect';
import type { PortRequest } from '../../port/port.ts';
import { mediaTypeOf } from './media-type.ts';

/** Form is how the messages of a call are encoded. */
export type Form = 'json' | 'proto';

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['application/json', 'json'],
  ['application/proto', 'proto'],
]);
const LENGTH = /^\d{1,10}$/;

/**
 * Returns the form of a usual call of Connect with one message each way: by POST, not compressed, of a known and
 * allowed length, and with a valid deadline. Undefined for all others, which Connect answers.
 */
export function usualForm({ method, headers }: PortRequest, readMaxBytes: number): Form | undefined {
  const encoding = headers['content-encoding'];
  const length = headers['content-length'];
  const timeout = connectTimeoutOf(headers);
  const isUsual =
    method === 'POST' &&
    (encoding === undefined || encoding === 'identity') &&
    length !== undefined &&
    LENGTH.test(length) &&
    Number(length) <= readMaxBytes &&
    headers.expect === undefined &&
    (timeout === null || parseTimeout(timeout, Number.POSITIVE_INFINITY).error === undefined);
  if (!isUsual) return undefined;
  const type = headers['content-type'] ?? '';
  return FORMS.get(type) ?? FORMS.get(mediaTypeOf(type));
}

/** Returns the deadline as the client wrote it. null if there is none. */
export function connectTimeoutOf(headers: PortRequest['headers']): string | null {
  return headers['connect-timeout-ms']?.toString() ?? null;
}

import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { printable } from '../values/quote.ts';
import { jsonLine } from './output.ts';

/** CommandProblem is what went wrong, for people and scripts. */
export interface CommandProblem {
  readonly exitCode: number;
  /** The service's reason. Undefined if the service did not answer. */
  readonly reason?: keyof typeof ErrorReason;
  readonly message: string;
  /** What to do. */
  readonly next?: string | undefined;
}

/** Formats a problem for standard error: lines for people, or one line of JSON for programs. */
export function problemOutput({ exitCode, reason, message, next }: CommandProblem, json: boolean): string {
  return json
    ? jsonLine({ error: { exitCode, reason: reason ?? '', message, next: next ?? '' } })
    : `etcd-discovery: ${printable(message)}\n${next === undefined ? '' : `next: ${next}\n`}`;
}

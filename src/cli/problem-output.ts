import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { jsonLine } from './output.ts';

/** What went wrong, as a person or a script is told of it. */
export interface Problem {
  readonly exitCode: number;
  /** Why the service refused; undefined when it was not the service. */
  readonly reason?: keyof typeof ErrorReason;
  readonly message: string;
  /** What to do now. */
  readonly next?: string | undefined;
}

/** A problem on standard error: in lines for people, or in one line of JSON for programs. */
export function problemOutput({ exitCode, reason, message, next }: Problem, json: boolean): string {
  return json
    ? jsonLine({ error: { exitCode, reason: reason ?? '', message, next: next ?? '' } })
    : `etcd-discovery: ${message}\n${next === undefined ? '' : `next: ${next}\n`}`;
}

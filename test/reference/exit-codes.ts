import { EXIT } from '../../src/cli/exit.ts';
import { table } from './table.ts';

const MEANINGS = {
  DONE: 'success; for `wait`: the cluster is complete',
  FAILED: 'rejected or failed for a reason without a code of its own',
  WRONG: 'usage error: unknown flag, bad argument, or a value the service rejects',
  UNREACHABLE: 'the service cannot be reached, or cannot serve the call now: retry later',
  NOT_FOUND: 'no such token or member',
  ENDED: 'the token has expired or was deleted',
  TIMED_OUT: '`wait` timed out',
  TAKEN: "already taken: the token, the member's id, name or URL, or every place in the cluster",
  DENIED: 'missing or invalid credentials or secret',
} as const satisfies Record<keyof typeof EXIT, string>;

export function exitCodesTable(): string {
  const names = Object.keys(MEANINGS) as Array<keyof typeof EXIT>;
  return table(
    ['Exit code', 'Meaning'],
    names.map((name) => [String(EXIT[name]), MEANINGS[name]]),
  );
}

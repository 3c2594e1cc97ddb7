import { Code, ConnectError } from '@connectrpc/connect';
import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { EXIT } from './exit.ts';
import { networkProblemOf, USE_TLS, WHICH_SERVICE } from './network-problem.ts';
import type { CommandProblem } from './problem-output.ts';

interface Row {
  readonly exitCode: number;
  /** The next step, if the service's message does not say so, or not for this command line. */
  readonly next?: string;
}

/** The next step for a user whose token no longer works. */
export const NEW_TOKEN = 'etcd-discovery new --size 3';

const JOIN_LATE = 'etcd-discovery join-late TOKEN --name NAME --peer-url URL';
const MEMBER_ADD = 'etcdctl --endpoints MEMBER member add NAME --peer-urls URL';

/** The service's errors. Their messages come from the service: what is wrong, and what a caller can do. */
const REFUSALS = {
  UNSPECIFIED: { exitCode: EXIT.FAILED },
  INVALID_ARGUMENT: { exitCode: EXIT.WRONG },
  TOKEN_NOT_FOUND: {
    exitCode: EXIT.NOT_FOUND,
    next: 'check the URL of the service (--server, DISC_SERVER)',
  },
  TOKEN_EXPIRED: { exitCode: EXIT.ENDED, next: `etcd-discovery reopen TOKEN, or ${NEW_TOKEN}` },
  TOKEN_DELETED: { exitCode: EXIT.ENDED, next: NEW_TOKEN },
  TOKEN_EXISTS: { exitCode: EXIT.TAKEN, next: 'omit --token to let the service choose one' },
  CUSTOM_TOKEN_REFUSED: { exitCode: EXIT.FAILED, next: 'omit --token to let the service choose one' },
  TOO_MANY_TOKENS: { exitCode: EXIT.FAILED },
  MEMBER_NOT_FOUND: { exitCode: EXIT.NOT_FOUND, next: 'etcd-discovery list-members TOKEN' },
  MEMBER_EXISTS: { exitCode: EXIT.TAKEN, next: 'register with --replace to change its name or peer URLs' },
  NAME_TAKEN: { exitCode: EXIT.TAKEN },
  PEER_URL_TAKEN: { exitCode: EXIT.TAKEN },
  CLUSTER_FULL: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  TOO_MANY_STANDBYS: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  REJOIN_REFUSED: { exitCode: EXIT.TAKEN },
  REVISION_MISMATCH: {
    exitCode: EXIT.FAILED,
    next: 'check the current member and try again: etcd-discovery list-members TOKEN',
  },
  REVISION_COMPACTED: { exitCode: EXIT.FAILED },
  SHUTTING_DOWN: { exitCode: EXIT.UNREACHABLE, next: 'try again in a moment' },
  STORE_UNAVAILABLE: {
    exitCode: EXIT.UNREACHABLE,
    next: 'try again in a moment; the log of the service has the reason',
  },
  INTERNAL: { exitCode: EXIT.FAILED },
  UNAUTHENTICATED: {
    exitCode: EXIT.DENIED,
    next: 'set DISC_CREDENTIALS=NAME:SECRET, or for a guarded token pass TOKEN:SECRET',
  },
  FORBIDDEN: { exitCode: EXIT.DENIED },
  TOO_MANY_REQUESTS: { exitCode: EXIT.UNREACHABLE },
  CLUSTER_FORMED: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  TOKEN_WORN_OUT: { exitCode: EXIT.FAILED },
  DISCOVERY_TEXT_DIFFERS: { exitCode: EXIT.TAKEN },
} as const satisfies Record<keyof typeof ErrorReason, Row>;

/** Converts what a call threw to a problem. `server` is the URL that was called. */
export function problemOf(thrown: unknown, server: string): CommandProblem {
  if (!(thrown instanceof ConnectError)) throw thrown;
  if (refusalOf(thrown) !== undefined) {
    const reason = reasonOf(thrown) ?? 'UNSPECIFIED';
    const problem: CommandProblem = { reason, message: thrown.rawMessage, ...REFUSALS[reason] };
    // A new token would create a different cluster than the running one.
    const hasEnded = reason === 'TOKEN_EXPIRED' || reason === 'TOKEN_DELETED';
    const cluster = refusalOf(thrown)?.cluster;
    if (cluster?.formed !== true) return { ...problem, next: withSize(problem.next, cluster?.size) };
    if (hasEnded) return { ...problem, next: MEMBER_ADD };
    return reason === 'MEMBER_EXISTS' ? { ...problem, next: JOIN_LATE } : problem;
  }
  const network = networkProblemOf(thrown, server);
  if (network !== undefined) return network;
  switch (thrown.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return { exitCode: EXIT.DENIED, message: `${server} denied access: ${thrown.rawMessage}` };
    case Code.ResourceExhausted:
      return {
        exitCode: EXIT.WRONG,
        message: `the request is too large for ${server}: ${thrown.rawMessage}`,
      };
    case Code.DeadlineExceeded:
      return {
        exitCode: EXIT.UNREACHABLE,
        message: `cannot reach ${server}: ${thrown.rawMessage}`,
        next: `check the address and firewalls, or ${WHICH_SERVICE}`,
      };
    case Code.Unavailable:
    case Code.Aborted:
      return {
        exitCode: EXIT.UNREACHABLE,
        message: `cannot reach ${server}: ${thrown.rawMessage}`,
        next: 'try again in a moment',
      };
    default:
      return {
        exitCode: EXIT.UNREACHABLE,
        message: `the response from ${server} is not from a discovery service: ${thrown.rawMessage}`,
        next: saysHttps(thrown, server) ? USE_TLS : WHICH_SERVICE,
      };
  }
}

/** Suggests a token for a cluster of the same size. */
function withSize(next: string | undefined, size: number | undefined): string | undefined {
  return size === undefined ? next : next?.replace(NEW_TOKEN, `etcd-discovery new --size ${size}`);
}

/** Whether the error is how a TLS port answers plain HTTP, whose message does not fit an RPC. */
function saysHttps({ rawMessage }: ConnectError, server: string): boolean {
  return server.startsWith('http:') && rawMessage === 'HTTP 400';
}

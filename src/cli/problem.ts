import { Code, ConnectError } from '@connectrpc/connect';
import type { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { reasonOf, refusalOf } from '../client/refusal.ts';
import { EXIT, Failure } from './exit.ts';
import type { Problem } from './problem-output.ts';

interface Row {
  readonly exitCode: number;
  /** Where the service's own words do not say it already, or not for this command line. */
  readonly next?: string;
}

/** The next step of whoever has a token that works no more. */
export const NEW_TOKEN = 'etcd-discovery new --size 3';

const JOIN_LATE = 'etcd-discovery join-late TOKEN --name NAME --peer-url URL';
const MEMBER_ADD = 'etcdctl --endpoints MEMBER member add NAME --peer-urls URL';

/** The service's refusals. Their messages are the service's: what was wrong, and what a caller can do. */
const REFUSALS = {
  UNSPECIFIED: { exitCode: EXIT.FAILED },
  INVALID_ARGUMENT: { exitCode: EXIT.WRONG },
  TOKEN_NOT_FOUND: {
    exitCode: EXIT.NOT_FOUND,
    next: `is this the service that made it? If so: ${NEW_TOKEN}`,
  },
  TOKEN_EXPIRED: { exitCode: EXIT.ENDED, next: NEW_TOKEN },
  TOKEN_DELETED: { exitCode: EXIT.ENDED, next: NEW_TOKEN },
  TOKEN_EXISTS: { exitCode: EXIT.TAKEN, next: 'leave --token out, and the service chooses one' },
  CUSTOM_TOKEN_REFUSED: { exitCode: EXIT.FAILED, next: 'leave --token out, and the service chooses one' },
  TOO_MANY_TOKENS: { exitCode: EXIT.FAILED },
  MEMBER_NOT_FOUND: { exitCode: EXIT.NOT_FOUND, next: 'etcd-discovery list-members TOKEN' },
  MEMBER_EXISTS: { exitCode: EXIT.TAKEN, next: 'register with --replace to change its name or peer URLs' },
  NAME_TAKEN: { exitCode: EXIT.TAKEN },
  PEER_URL_TAKEN: { exitCode: EXIT.TAKEN },
  CLUSTER_FULL: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  TOO_MANY_STANDBYS: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  REJOIN_REFUSED: { exitCode: EXIT.TAKEN },
  REVISION_MISMATCH: { exitCode: EXIT.FAILED, next: 'the member has changed meanwhile: look, and try again' },
  REVISION_COMPACTED: { exitCode: EXIT.FAILED },
  SHUTTING_DOWN: { exitCode: EXIT.UNREACHABLE, next: 'try again in a moment' },
  STORE_UNAVAILABLE: {
    exitCode: EXIT.UNREACHABLE,
    next: 'try again in a moment; the log of the service says why',
  },
  INTERNAL: { exitCode: EXIT.FAILED },
  UNAUTHENTICATED: {
    exitCode: EXIT.DENIED,
    next: 'give the secret with the token (TOKEN:SECRET), or credentials with DISC_CREDENTIALS',
  },
  FORBIDDEN: { exitCode: EXIT.DENIED },
  TOO_MANY_REQUESTS: { exitCode: EXIT.UNREACHABLE },
  CLUSTER_FORMED: { exitCode: EXIT.TAKEN, next: JOIN_LATE },
  TOKEN_WORN_OUT: { exitCode: EXIT.FAILED },
  DISCOVERY_TEXT_DIFFERS: { exitCode: EXIT.TAKEN },
} as const satisfies Record<keyof typeof ErrorReason, Row>;

const CUT_OFF = {
  message: 'it closed the connection',
  next: 'does it speak TLS? Then write its URL as https://',
};
const WHICH_SERVICE = 'say where the service is with --server URL or DISC_SERVER';
const UNKNOWN_CA = {
  message: 'its certificate is by no CA that is known here',
  next: 'name the CA of its certificate with --cacert FILE',
};
const NO_TLS = { message: 'it does not speak TLS', next: 'write its URL as http://' };

/** What the network says, by the codes of Node.js. */
const NETWORK: Readonly<Record<string, { readonly message: string; readonly next: string }>> = {
  ECONNREFUSED: {
    message: 'nothing listens there',
    next: `is it running? If it is elsewhere: ${WHICH_SERVICE}`,
  },
  ENOTFOUND: { message: 'there is no such host', next: WHICH_SERVICE },
  EAI_AGAIN: {
    message: 'the name of the host cannot be looked up now',
    next: 'try again, or give an address',
  },
  EHOSTUNREACH: { message: 'there is no way to the host', next: WHICH_SERVICE },
  ENETUNREACH: { message: 'there is no way to its network', next: WHICH_SERVICE },
  ETIMEDOUT: { message: 'the host does not answer', next: WHICH_SERVICE },
  ECONNRESET: CUT_OFF,
  EPIPE: CUT_OFF,
  HPE_INVALID_CONSTANT: { message: 'what answers is not HTTP', next: WHICH_SERVICE },
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  CERT_HAS_EXPIRED: { message: 'its certificate has expired', next: 'have it renewed' },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    message: 'its certificate is for another name',
    next: 'give --server a name or address that the certificate has',
  },
};

/** Whatever a command has thrown, in words. `server` is the URL that was asked. */
export function problemOf(thrown: unknown, server: string): Problem {
  if (thrown instanceof Failure) {
    const { exitCode, message, next } = thrown;
    return { exitCode, message, next };
  }
  if (!(thrown instanceof ConnectError)) throw thrown;
  if (refusalOf(thrown) !== undefined) {
    const reason = reasonOf(thrown) ?? 'UNSPECIFIED';
    const problem: Problem = { reason, message: thrown.rawMessage, ...REFUSALS[reason] };
    // A new token would make another cluster than the one that runs.
    const hasEnded = reason === 'TOKEN_EXPIRED' || reason === 'TOKEN_DELETED';
    return hasEnded && refusalOf(thrown)?.cluster?.formed === true
      ? { ...problem, next: MEMBER_ADD }
      : problem;
  }
  const network = NETWORK[codeOf(thrown)];
  if (network !== undefined) {
    return {
      exitCode: EXIT.UNREACHABLE,
      message: `cannot reach ${server}: ${network.message}`,
      next: network.next,
    };
  }
  switch (thrown.code) {
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return { exitCode: EXIT.FAILED, message: `${server} does not let you in: ${thrown.rawMessage}` };
    case Code.ResourceExhausted:
      return { exitCode: EXIT.WRONG, message: `the call is too large for ${server}: ${thrown.rawMessage}` };
    case Code.DeadlineExceeded:
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
        message: `what answers at ${server} is not the discovery service: ${thrown.rawMessage}`,
        next: saysHttps(thrown, server) ? CUT_OFF.next : WHICH_SERVICE,
      };
  }
}

/** A port that speaks TLS answers so, in words that are not for an RPC. */
function saysHttps({ rawMessage }: ConnectError, server: string): boolean {
  return server.startsWith('http:') && rawMessage === 'HTTP 400';
}

/** The code of what is behind an error; with several addresses of a host there is one for each. */
function codeOf({ cause }: ConnectError): string {
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && 'code' in first ? String(first.code) : '';
}

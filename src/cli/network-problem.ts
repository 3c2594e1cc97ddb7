import type { ConnectError } from '@connectrpc/connect';
import { EXIT } from './exit.ts';

/** NetworkProblem is why a service could not be reached. */
export interface NetworkProblem {
  readonly exitCode: number;
  readonly message: string;
  readonly next: string;
}

export const WHICH_SERVICE = 'set the URL of the service with --server URL or DISC_SERVER';
export const USE_TLS = 'if the service uses TLS, write its URL as https://';

const CUT_OFF = { message: 'the connection was closed', next: `try again; ${USE_TLS}` };
const NO_TLS = { message: 'the server does not use TLS', next: 'write its URL as http://' };
const UNKNOWN_CA = {
  message: "the server's certificate is signed by an unknown authority",
  next: 'pass the CA of the service, in PEM, with --cacert FILE or DISC_CACERT',
};
const NO_CERTIFICATE = {
  exitCode: EXIT.DENIED,
  message: 'the server requires a client certificate',
  next: 'pass one with --cert FILE and --key FILE, or DISC_CERT and DISC_KEY',
};
const WRONG_CERTIFICATE = {
  exitCode: EXIT.DENIED,
  message: 'the server does not accept the client certificate (--cert)',
  next: 'ask the operator of the service for a certificate signed by its client CA (--tls-client-ca)',
};
const NOT_HTTP = { message: 'the server does not speak HTTP', next: WHICH_SERVICE };

/** By the codes of Node.js, of the resolver and of OpenSSL. */
const PROBLEMS: Readonly<Record<string, { exitCode?: number; message: string; next: string }>> = {
  ECONNREFUSED: {
    message: 'connection refused',
    next: `start the service, or ${WHICH_SERVICE}`,
  },
  ENOTFOUND: { message: 'host not found', next: `check the name, or ${WHICH_SERVICE}` },
  EAI_AGAIN: { message: 'the name server did not answer', next: 'try again, or use an IP address' },
  EHOSTUNREACH: { message: 'no route to host', next: WHICH_SERVICE },
  ENETUNREACH: { message: 'network unreachable', next: WHICH_SERVICE },
  ETIMEDOUT: {
    message: 'connection timed out',
    next: `check the address and firewalls, or ${WHICH_SERVICE}`,
  },
  ECONNRESET: CUT_OFF,
  EPIPE: CUT_OFF,
  HPE_INVALID_CONSTANT: NOT_HTTP,
  HPE_INVALID_VERSION: NOT_HTTP,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  CERT_SIGNATURE_FAILURE: UNKNOWN_CA,
  CERT_HAS_EXPIRED: {
    message: "the server's certificate has expired",
    next: 'ask the operator of the service to renew it, or check the clock of this machine',
  },
  CERT_NOT_YET_VALID: {
    message: "the server's certificate is not valid yet",
    next: 'check the clock of this machine',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    message: "the server's certificate is for another name",
    next: 'use a URL with a name or address that is in the certificate',
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: NO_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: WRONG_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: WRONG_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: WRONG_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: WRONG_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: WRONG_CERTIFICATE,
};

/**
 * Returns why a call did not reach the service at the URL `server`. Undefined if the service, or another
 * server, answered.
 */
export function networkProblemOf(error: ConnectError, server: string): NetworkProblem | undefined {
  const cause = firstCause(error);
  const row = PROBLEMS[cause?.code ?? ''];
  if (row === undefined) return undefined;
  const { exitCode = EXIT.UNREACHABLE, message, next } = row;
  // OpenSSL's message names the alert, and Node's the names in the certificate.
  const [, names = ''] = /altnames: (.*)$/s.exec(cause?.message ?? '') ?? [];
  return { exitCode, message: `cannot reach ${server}: ${message}${names && ` (${names})`}`, next };
}

/** Returns the underlying error. For a host with several addresses there is one for each. */
function firstCause({ cause }: ConnectError): NodeJS.ErrnoException | undefined {
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error ? first : undefined;
}

import { DiscoveryError } from '../../../discovery/errors.ts';
import { EndpointResting, grpcCodeOf, messageOf } from './etcd3.ts';

/** Fault is why a call to etcd failed. */
export interface Fault {
  /** Human-readable cause, phrased to follow a colon. */
  readonly cause: string;
  /** Whether a retry, perhaps with another endpoint, can succeed. */
  readonly passing: boolean;
  /** Whether etcd may have executed the request. */
  readonly unsure: boolean;
  /** Set if the request was at fault and etcd is healthy. */
  readonly ofRequest?: true;
  readonly error: unknown;
  /** Set if etcd did not fail but this store rejected the request. */
  readonly isOwn?: true;
}

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;
const FINAL = new Set([
  INVALID_ARGUMENT,
  NOT_FOUND,
  PERMISSION_DENIED,
  FAILED_PRECONDITION,
  OUT_OF_RANGE,
  UNIMPLEMENTED,
  UNAUTHENTICATED,
]);

/**
 * UNAVAILABLE errors of calls that never reached etcd. "no leader" does not count: etcd returns it
 * immediately, but also for a write in progress whose leader failed, which the next leader may still execute.
 */
const NOT_SENT = /No connection established|Name resolution failed|Channel closed before|ECONNREFUSED/;

export function faultOf(error: unknown): Fault {
  if (error instanceof DiscoveryError) {
    return { cause: error.message, passing: false, unsure: false, isOwn: true, error };
  }
  if (error instanceof EndpointResting) {
    return { cause: error.message, passing: true, unsure: false, error };
  }
  const code = grpcCodeOf(error);
  const message = messageOf(error);
  const isFull = /database space exceeded/.test(message);
  const isBusy = code === RESOURCE_EXHAUSTED && /too many requests/.test(message);
  const passing =
    code !== undefined && !FINAL.has(code) && !isFull && (code !== RESOURCE_EXHAUSTED || isBusy);
  const unsure = passing && !isBusy && !(code === UNAVAILABLE && NOT_SENT.test(message));
  const ofRequest = /request is too large|too many operations|larger than max/.test(message);
  return { cause: causeOf(code, message), passing, unsure, ...(ofRequest && { ofRequest }), error };
}

const CAUSES: ReadonlyArray<readonly [pattern: RegExp, words: string]> = [
  [
    /client certificate is over/,
    'the client certificate of the service has expired; renew the files of --etcd-cert and --etcd-key (the service reloads them)',
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, "etcd's certificate has expired; renew it"],
  [
    /invalid user ID or password/,
    'etcd rejected the user name or password; check --etcd-user and its password',
  ],
  [/user name is empty/, 'etcd requires authentication; set --etcd-user and its password'],
  [
    /authentication is not enabled/,
    'authentication is disabled in etcd; omit --etcd-user or run etcdctl auth enable',
  ],
  [
    /permission denied/,
    'permission denied: the etcd user cannot read and write the keys of this service; grant its role readwrite on the prefix (etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX/)',
  ],
  [
    /database space exceeded/,
    "etcd's database is full; compact and defragment it and disarm the alarm (etcdctl compact, defrag, alarm disarm), and enable --auto-compaction-retention",
  ],
  [
    /unable to (verify|get)|self[- ]signed|not in the cert|altnames|certificate signature/i,
    "etcd's certificate is not trusted (signed by an unknown authority, or for another name); check --etcd-cacert and the names in the certificate",
  ],
  [
    /certificate required|bad certificate|unknown ca|handshake failure|ALERT_/i,
    'etcd requires a client certificate or rejected it; check --etcd-cert and --etcd-key',
  ],
  [
    /wrong version number|packet length too long|record layer/i,
    'the endpoint does not use TLS; write http:// instead of https://',
  ],
  [
    /disconnected before secure TLS/,
    'the connection was closed during the TLS handshake; if the endpoint does not use TLS, write http:// instead of https://',
  ],
  [
    /Last error: Failed to connect/,
    'etcd or a proxy closed the connection; if the endpoint uses TLS, write https:// instead of http://',
  ],
  [/HTTP status code|Protocol error/, 'the endpoint is not etcd; check the host and the port'],
  [/Name resolution failed/, 'host not found; check the name'],
  [/client was already closed/, 'the store is closed'],
  [/no leader/, 'etcd has no leader: a majority of its members is down'],
];

function causeOf(code: number | undefined, message: string): string {
  for (const [pattern, words] of CAUSES) if (pattern.test(message)) return words;
  const refused = /connect (E[A-Z]+ \S+?)\.?(?:\s|$)/.exec(message)?.[1];
  if (refused !== undefined)
    return `etcd cannot be reached (${refused}); check that it is running, and its host and port`;
  if (/No connection established/.test(message))
    return 'etcd cannot be reached; check that it is running, and its host and port';
  if (code === DEADLINE_EXCEEDED || code === CANCELLED) return 'etcd did not answer in time';
  const [detail = ''] = message.replace(/^(?:\w+: )?\d+ [A-Z_]+: /, '').split('\n');
  // etcd's own messages are meant for its operators; those of gRPC's client and of Node.js are not.
  if (/^(?:etcdserver|etcdclient|auth|mvcc|lease|raft|rafthttp)[:,] /.test(detail))
    return `etcd cannot be used (${detail})`;
  return code === UNAVAILABLE ? 'the connection to etcd was lost' : `etcd rejected the call${named(code)}`;
}

/** Names the error as logs of etcd or of a proxy show it. */
function named(code: number | undefined): string {
  return code === undefined ? '' : ` (gRPC code ${code})`;
}

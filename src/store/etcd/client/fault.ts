import { DiscoveryError } from '../../../discovery/errors.ts';
import { codeOf, EndpointResting, messageOf } from './etcd3.ts';

/** Why a call on etcd failed. */
export interface Fault {
  /** In words, for the end of a sentence. */
  readonly cause: string;
  /** Whether another try, perhaps at another endpoint, can succeed. */
  readonly passing: boolean;
  /** Whether etcd may have done what it was asked for. */
  readonly unsure: boolean;
  /** Set when the request was at fault, and etcd is well. */
  readonly ofRequest?: true;
  readonly error: unknown;
  /** Set when it is no failure of etcd, but a refusal of this store. */
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
 * UNAVAILABLE of calls that never reached etcd. "no leader" is not among them: etcd says it at once, but also of a
 * write whose leader went while it was under way, which the next leader may do.
 */
const NOT_SENT = /No connection established|Name resolution failed|Channel closed before|ECONNREFUSED/;

export function faultOf(error: unknown): Fault {
  if (error instanceof DiscoveryError) {
    return { cause: error.message, passing: false, unsure: false, isOwn: true, error };
  }
  if (error instanceof EndpointResting) {
    return { cause: error.message, passing: true, unsure: false, error };
  }
  const code = codeOf(error);
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
    'the client certificate of the service has expired; renew the files of --etcd-cert and --etcd-key, which are read again by themselves',
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, "etcd's certificate has expired; renew it"],
  [
    /invalid user ID or password/,
    'etcd refuses the user or the password; check --etcd-user and the password that goes with it',
  ],
  [/user name is empty/, 'etcd asks for a user; give --etcd-user and its password'],
  [
    /authentication is not enabled/,
    'etcd has no users, as its authentication is off; leave --etcd-user out or run etcdctl auth enable',
  ],
  [
    /permission denied/,
    'the etcd user may not read and write the keys of this service; grant its role readwrite on the prefix (etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX/)',
  ],
  [
    /database space exceeded/,
    "etcd's database is full; compact and defragment it and disarm the alarm (etcdctl compact, defrag, alarm disarm), and let it compact by itself (--auto-compaction-retention)",
  ],
  [
    /unable to (verify|get)|self[- ]signed|not in the cert|altnames|certificate signature/i,
    "etcd's certificate is not trusted; check --etcd-cacert and the names in the certificate",
  ],
  [
    /certificate required|bad certificate|unknown ca|handshake failure|ALERT_/i,
    'etcd refuses the client certificate, or asks for one; check --etcd-cert and --etcd-key',
  ],
  [
    /wrong version number|packet length too long|record layer/i,
    'the endpoint speaks no TLS; write http:// in place of https://',
  ],
  [
    /disconnected before secure TLS/,
    'the connection ended before TLS began; if etcd speaks none there, write http:// in place of https://',
  ],
  [
    /Last error: Failed to connect/,
    'etcd, or what is in between, ends connections before they begin; if it speaks TLS there, write https:// in place of http://',
  ],
  [/HTTP status code|Protocol error/, 'what answers there is no etcd; check the host and the port'],
  [/Name resolution failed/, 'no host is known by that name'],
  [/client was already closed/, 'the store is closed'],
  [/no leader/, 'etcd has no leader, as most of its members are not there'],
];

function causeOf(code: number | undefined, message: string): string {
  for (const [pattern, words] of CAUSES) if (pattern.test(message)) return words;
  const refused = /connect (E[A-Z]+ \S+?)\.?(?:\s|$)/.exec(message)?.[1];
  if (refused !== undefined) return `etcd cannot be reached (${refused})`;
  if (/No connection established/.test(message))
    return 'etcd cannot be reached; see that it runs, and check the host and the port';
  if (code === DEADLINE_EXCEEDED || code === CANCELLED) return 'etcd did not answer in time';
  const [detail = ''] = message.replace(/^(?:\w+: )?\d+ [A-Z_]+: /, '').split('\n');
  // etcd's own words are for its operators; those of gRPC's client and of Node.js are not.
  if (/^(?:etcdserver|etcdclient|auth|mvcc|lease|raft|rafthttp)[:,] /.test(detail))
    return `etcd cannot be used (${detail})`;
  return code === UNAVAILABLE ? 'the connection to etcd broke off' : `etcd refuses the call${named(code)}`;
}

/** What to look for in a log of etcd or of a proxy. */
function named(code: number | undefined): string {
  return code === undefined ? '' : ` (gRPC code ${code})`;
}

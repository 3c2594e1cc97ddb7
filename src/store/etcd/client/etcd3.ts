import { type IOptions, isRecoverableError } from 'etcd3';

// Adapts etcd3 where its behaviour does not fit the store. Its watcher is not used at all: see watch-loop.ts.

/** Time in ms during which a failed endpoint rests while calls go to the others. */
const REST_MS = 500;

/** EndpointResting: the endpoint has just failed and is not used for a moment. */
export class EndpointResting extends Error {
  override readonly name = 'EndpointResting';
}

/** Returns the code of an error, which etcd3 keeps only in its text: `14 UNAVAILABLE: ...`. */
export function grpcCodeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number') return code;
  const found = /^(?:\w+: )?(\d+) [A-Z_]+: /.exec(messageOf(error))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Replaces, in the text of an error, that etcd has forgotten the token. */
export const LOGIN_OVER = 'the log-in to etcd is over';

export function isInvalidToken(error: unknown): boolean {
  // The last alternative: users or roles were changed since the login.
  return /the log-in to etcd is over|invalid auth token|revision of auth store is old/.test(messageOf(error));
}

/**
 * Replaces, in the text of an error, that the client certificate has expired: etcd closes the connection
 * without details.
 */
export const CERTIFICATE_OVER = 'the client certificate is over';

export function expired(error: unknown): Error {
  return new Error(`${grpcCodeOf(error) ?? 2} EXPIRED: ${CERTIFICATE_OVER}: ${messageOf(error)}`, {
    cause: error,
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// etcd3 does not export gRPC's types: this is the part used here.
interface StartableCall {
  start(metadata: { set(name: string, value: string): void }, listener: StatusListener): void;
}
interface StatusListener {
  onReceiveStatus(status: Status): void;
}
interface Status {
  readonly details: string;
}
type NextCall = (options: unknown) => StartableCall;
type Policy = NonNullable<NonNullable<IOptions['faultHandling']>['global']>;
type Policed = <T>(call: () => Promise<T>) => Promise<T>;

/**
 * Adds to all calls what etcd3 lacks: the login, and `hasleader`, with which a member that has lost its
 * leader rejects calls and ends streams instead of keeping them open.
 */
export function interceptor(
  tokenNow: () => string | undefined,
): (options: unknown, next: NextCall) => StartableCall {
  return (options, next) => {
    const call = next(options);
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      metadata.set('hasleader', 'true');
      const token = tokenNow();
      if (token !== undefined) metadata.set('token', token);
      const receive = listener.onReceiveStatus.bind(listener);
      listener.onReceiveStatus = (status) => receive(renamed(status));
      start(metadata, listener);
    };
    return call;
  };
}

/** With the error's own name, etcd3 would resend the call forever with the expired token. */
function renamed(status: Status): Status {
  return isInvalidToken(new Error(status.details)) ? { ...status, details: LOGIN_OVER } : status;
}

export function credentialsOf({
  ca,
  cert,
  key,
}: {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}): NonNullable<IOptions['credentials']> {
  const credentials = { rootCertificate: ca, privateKey: key, certChain: cert };
  // etcd3 declares the CA as required. Without one, gRPC uses those of Node.js.
  return credentials as NonNullable<IOptions['credentials']>;
}

/**
 * etcd3 would resend failed calls by itself, writes too. The store does this, because it can tell whether
 * they succeeded.
 */
export function faultHandling(endpoints: number): NonNullable<IOptions['faultHandling']> {
  return { global: policy((call) => call()), host: () => breaker(endpoints) };
}

/** etcd3 only requires that a policy can run a call. */
function policy(execute: Policed): Policy {
  return { execute: (call: (context: object) => unknown) => execute(async () => call({})) } as Policy;
}

/** etcd3 stops using an endpoint after three failures for 5 s, even if there is no other. */
function breaker(endpoints: number): Policy {
  let until = 0;
  return policy(async (call) => {
    if (performance.now() < until) throw new EndpointResting('the endpoint failed recently');
    try {
      return await call();
    } catch (error) {
      // A single endpoint must not rest.
      if (endpoints > 1 && isRecoverableError(error as Error)) until = performance.now() + REST_MS;
      throw error;
    }
  });
}

/**
 * etcd3 treats a cancelled stream as a failure of its endpoint, and closes all connections. It does not do so
 * for an ended one.
 */
export function leaveStream(stream: { end(): unknown; cancel(): void }): void {
  stream.end();
  stream.cancel();
}

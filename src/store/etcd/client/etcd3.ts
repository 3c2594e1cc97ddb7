import { type IOptions, isRecoverableError } from 'etcd3';

// What etcd3 does otherwise than the store needs it, and what is done about it. Its watcher is not used at all: see
// watch-loop.ts.

/** While an endpoint rests, calls go to the others. */
const REST_MS = 500;

/** An endpoint that has just failed is left alone for a moment. */
export class EndpointResting extends Error {
  override readonly name = 'EndpointResting';
}

/** etcd3 keeps the code of an error only in its text: `14 UNAVAILABLE: ...`. */
export function codeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'number') return code;
  const found = /^(?:\w+: )?(\d+) [A-Z_]+: /.exec(messageOf(error))?.[1];
  return found === undefined ? undefined : Number(found);
}

/** What stands for a token that etcd has forgotten, in the text of an error. */
export const LOGIN_OVER = 'the log-in to etcd is over';

export function isInvalidToken(error: unknown): boolean {
  // The last, when users or roles were changed since.
  return /the log-in to etcd is over|invalid auth token|revision of auth store is old/.test(messageOf(error));
}

/** What stands for a client certificate that is over: etcd closes the connection, and says little. */
export const CERTIFICATE_OVER = 'the client certificate is over';

export function expired(error: unknown): Error {
  return new Error(`${codeOf(error) ?? 2} EXPIRED: ${CERTIFICATE_OVER}: ${messageOf(error)}`, {
    cause: error,
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// etcd3 does not pass gRPC's types on: this is what is used of them.
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
 * Adds to all calls what etcd3 does not: the log-in, and `hasleader`, by which a member that has lost its leader
 * refuses calls and ends streams, in place of keeping them.
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

/** At the error by its own name etcd3 would send the call again, for ever, with the token that is over. */
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
  // etcd3 declares the CA as needed; gRPC takes the ones of Node.js without.
  return credentials as NonNullable<IOptions['credentials']>;
}

/** etcd3 sends failed calls again by itself, writes too: the store does that, which can tell whether they were done. */
export function faultHandling(endpoints: number): NonNullable<IOptions['faultHandling']> {
  return { global: policy((call) => call()), host: () => breaker(endpoints) };
}

/** etcd3 asks no more of a policy than to run a call. */
function policy(execute: Policed): Policy {
  return { execute: (call: (context: object) => unknown) => execute(async () => call({})) } as Policy;
}

/** etcd3 leaves an endpoint after three failures, and then for 5 s, be it the only one. */
function breaker(endpoints: number): Policy {
  let until = 0;
  return policy(async (call) => {
    if (performance.now() < until) throw new EndpointResting('the endpoint has just failed');
    try {
      return await call();
    } catch (error) {
      // Alone, it would rest although there is no other.
      if (endpoints > 1 && isRecoverableError(error as Error)) until = performance.now() + REST_MS;
      throw error;
    }
  });
}

/** etcd3 takes a stream that is cancelled for a failure of its endpoint, and closes all connections; not an ended one. */
export function leaveStream(stream: { end(): unknown; cancel(): void }): void {
  stream.end();
  stream.cancel();
}

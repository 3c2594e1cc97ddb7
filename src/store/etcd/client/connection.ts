import {
  Etcd3,
  type IDuplexStream,
  type ILeaseKeepAliveRequest,
  type ILeaseKeepAliveResponse,
  type IOptions,
  type IRangeRequest,
  type IRangeResponse,
  type IResponseHeader,
  type ITxnRequest,
  type ITxnResponse,
  type IWatchRequest,
  type IWatchResponse,
  isRecoverableError,
} from 'etcd3';
import { STORE_LIMITS } from '../../../limits.ts';
import { unavailable } from '../../refusals.ts';
import { EndpointResting, isInvalidToken, LOGIN_OVER } from './fault.ts';

export interface EtcdAccess {
  /** `http://host:port` or `https://host:port`, all of one cluster. */
  readonly endpoints: readonly string[];
  /** PEM. Without a CA, for https: the CAs that Node.js knows. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** A password that is a function is asked for at each log-in. */
  readonly auth?: { readonly username: string; readonly password: string | (() => string) };
}

/** One call, sent once. A little under half of what a node waits for its answer, so that a second fits. */
export const CALL_MS = 1800;
/** etcd ends connections that are pinged more often than every 5 s. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 3000;
/** While an endpoint rests, calls go to the others. */
const REST_MS = 500;

/** The calls on etcd that the store makes. Each is sent once and has a deadline; the streams have none. */
export class Connection {
  readonly #client: Etcd3;
  readonly #auth: EtcdAccess['auth'];
  #token: string | undefined;
  #clusterId: string | undefined;
  #login: Promise<void> | undefined;
  /** How many unary calls were sent. */
  calls = 0;

  constructor({ endpoints, tls, auth }: EtcdAccess) {
    this.#auth = auth;
    const options: IOptions = {
      hosts: [...endpoints],
      ...(tls !== undefined && { credentials: credentialsOf(tls) }),
      defaultCallOptions: (context) => (context.isStream ? {} : { deadline: Date.now() + CALL_MS }),
      grpcOptions: {
        'grpc.keepalive_time_ms': KEEPALIVE_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
        'grpc.enable_http_proxy': 0,
        'grpc.max_receive_message_length': STORE_LIMITS.etcdAnswerBytes,
        // Each client its own connections: a broken one is then left by closing the client.
        'grpc.use_local_subchannel_pool': 1,
        interceptors: [(callOptions: unknown, next: NextCall) => this.#intercept(next(callOptions))],
      },
      // Writes are sent again by who can tell whether they were done.
      faultHandling: { global: policy((call) => call()), host: () => breaker(endpoints.length) },
    };
    this.#client = new Etcd3(options);
  }

  range(request: IRangeRequest, limitMs = CALL_MS): Promise<IRangeResponse> {
    const options = { deadline: Date.now() + limitMs };
    return this.#call(async () => this.ofOneCluster(await this.#client.kv.range(request, options)));
  }

  txn(request: ITxnRequest, limitMs = CALL_MS): Promise<ITxnResponse> {
    const options = { deadline: Date.now() + limitMs };
    return this.#call(async () => this.ofOneCluster(await this.#client.kv.txn(request, options)));
  }

  /** etcd's version, like `3.5.9`. */
  version(): Promise<string> {
    return this.#call(async () => (await this.#client.maintenance.status()).version);
  }

  grantLease(seconds: number): Promise<string> {
    return this.#call(async () => (await this.#client.leaseClient.leaseGrant({ TTL: seconds })).ID);
  }

  revokeLease(id: string): Promise<unknown> {
    return this.#call(() => this.#client.leaseClient.leaseRevoke({ ID: id }));
  }

  keepLeaseAlive(): Promise<IDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>> {
    return this.#call(() => this.#client.leaseClient.leaseKeepAlive());
  }

  watch(): Promise<IDuplexStream<IWatchRequest, IWatchResponse>> {
    return this.#call(() => this.#client.watchClient.watch());
  }

  close(): void {
    this.#client.close();
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.#auth === undefined) return call();
    await this.#loggedIn();
    const token = this.#token;
    try {
      return await call();
    } catch (error) {
      // etcd forgets tokens: after 5 minutes without use, and when it restarts.
      if (!isInvalidToken(error)) throw error;
      if (this.#token === token) this.forgetToken();
      await this.#loggedIn();
      return call();
    }
  }

  /** Throws for another cluster's: its revisions, or those of one from before, would be taken for what they are not. */
  ofOneCluster<T extends { readonly header: IResponseHeader }>(response: T): T {
    const { cluster_id: id } = response.header;
    this.#clusterId ??= id;
    if (id === this.#clusterId) return response;
    throw unavailable(
      'the endpoints are not, or no longer, one etcd cluster; check --etcd, and restart the service if etcd was restored from a backup',
    );
  }

  /** The next call logs in again. */
  forgetToken(): void {
    this.#token = undefined;
  }

  async #loggedIn(): Promise<void> {
    const auth = this.#auth;
    if (auth === undefined || this.#token !== undefined) return;
    this.#login ??= (async () => {
      try {
        const password = typeof auth.password === 'string' ? auth.password : auth.password();
        const { token } = await this.#client.auth.authenticate({ name: auth.username, password });
        this.#token = token;
      } finally {
        this.#login = undefined;
      }
    })();
    await this.#login;
  }

  /** A member that has lost its leader then refuses calls and ends streams, in place of keeping them. */
  #intercept(call: StartableCall): StartableCall {
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      metadata.set('hasleader', 'true');
      if (this.#token !== undefined) metadata.set('token', this.#token);
      const receive = listener.onReceiveStatus.bind(listener);
      listener.onReceiveStatus = (status) => receive(renamed(status));
      start(metadata, listener);
    };
    return call;
  }
}

// What is used of gRPC's types, which etcd3 does not pass on.
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

/** At the error by its own name etcd3 would send the call again, for ever, with the token that is over. */
function renamed(status: Status): Status {
  return isInvalidToken(new Error(status.details)) ? { ...status, details: LOGIN_OVER } : status;
}

function credentialsOf({
  ca,
  cert,
  key,
}: NonNullable<EtcdAccess['tls']>): NonNullable<IOptions['credentials']> {
  const credentials = { rootCertificate: ca, privateKey: key, certChain: cert };
  // etcd3 declares the CA as needed; gRPC takes the ones of Node.js without.
  return credentials as NonNullable<IOptions['credentials']>;
}

/** etcd3 asks no more of a policy than to run a call. */
function policy(execute: Policed): Policy {
  return { execute: (call: (context: object) => unknown) => execute(async () => call({})) } as Policy;
}

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

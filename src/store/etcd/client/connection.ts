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
} from 'etcd3';
import { unavailable } from '../../refusals.ts';
import { Credentials, type Tls } from './credentials.ts';
import { credentialsOf, expired, faultHandling, interceptor, isInvalidToken } from './etcd3.ts';

export interface EtcdAccess {
  /** `http://host:port` or `https://host:port`, all of one cluster. */
  readonly endpoints: readonly string[];
  /** TLS for https. A function is called again when calls fail. */
  readonly tls?: Tls | (() => Tls);
  /** The login. A password function is called for each login. */
  readonly auth?: { readonly username: string; readonly password: string | (() => string) };
}

/**
 * The timeout of one call, in ms. Less than half of the time that a node waits, so that a second attempt
 * fits.
 */
export const CALL_MS = 1800;
/** etcd closes connections that are pinged more often than every 5 s. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 3000;
/** The largest response of etcd: a read of many changes of the largest clusters. */
const ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * EtcdConnection makes the store's calls to etcd. Each call is sent once and has a deadline; streams have none.
 */
export class EtcdConnection {
  readonly #connect: () => Etcd3;
  readonly #credentials: Credentials | undefined;
  #client: Etcd3;
  readonly #auth: EtcdAccess['auth'];
  #token: string | undefined;
  #clusterId: string | undefined;
  /** Every call sent from now on must find etcd at this revision or a later one. */
  #reached = 0n;
  #isExchanged = false;
  #login: Promise<void> | undefined;
  /** The number of unary calls that were sent. */
  calls = 0;

  constructor({ endpoints, tls, auth }: EtcdAccess) {
    this.#auth = auth;
    this.#credentials = tls && new Credentials(tls);
    const options: IOptions = {
      hosts: [...endpoints],
      defaultCallOptions: (context) => (context.isStream ? {} : { deadline: Date.now() + CALL_MS }),
      grpcOptions: {
        'grpc.keepalive_time_ms': KEEPALIVE_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
        'grpc.enable_http_proxy': 0,
        'grpc.max_receive_message_length': ANSWER_BYTES,
        // A separate pool for each client, so that closing the client abandons a broken connection.
        'grpc.use_local_subchannel_pool': 1,
        interceptors: [interceptor(() => this.#token)],
      },
      faultHandling: faultHandling(endpoints.length),
    };
    this.#connect = () => {
      const { latest } = this.#credentials ?? {};
      return new Etcd3({ ...options, ...(latest && { credentials: credentialsOf(latest) }) });
    };
    this.#client = this.#connect();
  }

  range(request: IRangeRequest, limitMs = CALL_MS): Promise<IRangeResponse> {
    const options = { deadline: Date.now() + limitMs };
    return this.#call(() => this.#inOrder(() => this.#client.kv.range(request, options)));
  }

  txn(request: ITxnRequest, limitMs = CALL_MS): Promise<ITxnResponse> {
    const options = { deadline: Date.now() + limitMs };
    return this.#call(() => this.#inOrder(() => this.#client.kv.txn(request, options)));
  }

  /** Returns etcd's version, such as `3.5.9`. */
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
    try {
      return await this.#loggedInCall(call);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /**
   * Returns why a call or a stream has failed. Loads a renewed certificate, so that sending again uses it.
   */
  failed(error: unknown): unknown {
    if (this.#credentials === undefined) return error;
    const why = this.#credentials.isExpired ? expired(error) : error;
    if (this.#credentials.renew()) {
      const old = this.#client;
      this.#client = this.#connect();
      old.close();
    }
    return why;
  }

  async #loggedInCall<T>(call: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.#auth === undefined) return call();
    await this.#loggedIn();
    const token = this.#token;
    try {
      return await call();
    } catch (error) {
      // etcd forgets tokens after 5 minutes without use, and when it restarts.
      if (!isInvalidToken(error)) throw error;
      if (this.#token === token) this.forgetToken();
      await this.#loggedIn();
      return call();
    }
  }

  /** Checks that a response is current: our reads and transactions are linearizable. */
  async #inOrder<T extends { readonly header: IResponseHeader }>(call: () => Promise<T>): Promise<T> {
    const reached = this.#reached;
    const response = await call();
    const at = BigInt(response.header.revision);
    // etcd was restored with the same cluster ID: its revisions were already assigned to other changes.
    this.#isExchanged ||= at < reached;
    if (at > this.#reached) this.#reached = at;
    return this.ofOneCluster(response);
  }

  /** Throws for a response of another cluster: its revisions, or older ones, would be misinterpreted. */
  ofOneCluster<T extends { readonly header: IResponseHeader }>(response: T): T {
    const { cluster_id: id } = response.header;
    this.#clusterId ??= id;
    if (id === this.#clusterId && !this.#isExchanged) return response;
    throw unavailable(
      'the endpoints do not belong to one etcd cluster; check --etcd, and restart the service if etcd was restored from a backup',
    );
  }

  /** Makes the next call log in again. */
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
}

import type { BlockList } from 'node:net';
import type { Policy } from '../discovery/policy.ts';
import type { ListenAddress } from '../values/address.ts';
import type { Rate } from '../values/token-bucket.ts';
import type { AuthMode } from './tables/access.ts';

/** TlsFiles are the paths of the certificate (with its chain) and its private key, both in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The CAs of client certificates. Undefined: client certificates are not required. */
  readonly clientCaFile?: string | undefined;
  /** The certificates that these CAs have revoked. */
  readonly clientCrlFile?: string | undefined;
  /** The accepted names of client certificates. Undefined: any name. */
  readonly clientNames?: readonly string[] | undefined;
}

/** ClientLimits are the limits of one client. A client is an IPv4 address or an IPv6 /64. */
export interface ClientLimits {
  /** Requests, not counting probes and metrics. */
  readonly requests: Rate | 'off';
  readonly newTokens: Rate | 'off';
  /** Bytes of changes. */
  readonly bytes: Rate | 'off';
  /** Concurrent connections. */
  readonly connections: number;
  /** Concurrent requests, streams and long polls included. */
  readonly requestsAtOnce: number;
  /** Concurrent watches, in any dialect. */
  readonly watches: number;
}

/** StoreConfig selects the store of the tokens. */
export type StoreConfig =
  | { readonly type: 'EMBEDDED'; readonly dataDir: string }
  | ({ readonly type: 'ETCD' } & EtcdConfig);

/** EtcdConfig selects the etcd cluster that stores the tokens, and the credentials for it. */
export interface EtcdConfig {
  /** `http://host:port` or `https://host:port`, all with the same scheme. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly caFile: string | undefined;
  readonly clientTls: TlsFiles | undefined;
  readonly user: { readonly name: string; readonly password: string | { readonly file: string } } | undefined;
}

/** Config is the configuration of the service. Times in ms. */
export interface Config {
  readonly listen: ListenAddress;
  /** The address for metrics, if they are not served on `listen`. */
  readonly metricsListen: ListenAddress | undefined;
  /** Undefined: responses name the service as the request did. */
  readonly publicUrl: string | undefined;
  /** Undefined: plaintext. */
  readonly tls: TlsFiles | undefined;
  readonly auth: {
    readonly mode: AuthMode;
    readonly file: string | undefined;
    /** Names of client certificates of operators. */
    readonly operatorNames?: readonly string[];
  };
  readonly store: StoreConfig;
  readonly policy: Policy;
  readonly limits: {
    readonly perClient: ClientLimits;
    /** The limit of all clients together. */
    readonly connections: number;
    readonly requestsAtOnce: number;
    readonly watches: number;
  };
  /** Undefined: no proxy is trusted. */
  readonly trustedProxies: BlockList | undefined;
  readonly sweepInterval: number;
  /** The number of processes that serve the port. */
  readonly workers: number;
  readonly pollLimit: number;
  readonly grace: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'auto' | 'json' | 'text';
}

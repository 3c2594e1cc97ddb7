import type { BlockList } from 'node:net';
import type { Policy } from '../discovery/policy.ts';
import type { ListenAddress } from '../values/address.ts';
import type { Rate } from '../values/token-bucket.ts';
import type { AuthMode } from './tables/access.ts';

/** Where the certificate (with its chain) and its private key are, both in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** The CAs of the clients' certificates. Undefined: clients need none. */
  readonly clientCaFile?: string | undefined;
  /** What these CAs have taken back. */
  readonly clientCrlFile?: string | undefined;
  /** Undefined: any name. */
  readonly clientNames?: readonly string[] | undefined;
}

/** What one client may have of the service. A client is an address, of IPv6 a /64. */
export interface ClientLimits {
  /** Requests, probes and metrics left out. */
  readonly requests: Rate | 'off';
  readonly newTokens: Rate | 'off';
  /** Bytes of changes. */
  readonly bytes: Rate | 'off';
  /** Connections open at once. */
  readonly connections: number;
  /** Requests at once, streams and long polls included. */
  readonly requestsAtOnce: number;
  /** Watches open at once, in whatever dialect. */
  readonly watches: number;
}

/** Where the tokens are kept. */
export type StoreConfig =
  | { readonly type: 'EMBEDDED'; readonly dataDir: string }
  | ({ readonly type: 'ETCD' } & EtcdConfig);

/** The etcd cluster that keeps the tokens, and how to be let in. */
export interface EtcdConfig {
  /** `http://host:port` or `https://host:port`, all of one scheme. */
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly caFile: string | undefined;
  readonly clientTls: TlsFiles | undefined;
  readonly user: { readonly name: string; readonly password: string | { readonly file: string } } | undefined;
}

/** What the service runs with. Times in ms. */
export interface Config {
  readonly listen: ListenAddress;
  /** Where the metrics are, when they are not at `listen`. */
  readonly metricsListen: ListenAddress | undefined;
  /** Undefined: replies name the service as the request did. */
  readonly publicUrl: string | undefined;
  /** Undefined: clear text. */
  readonly tls: TlsFiles | undefined;
  readonly auth: {
    readonly mode: AuthMode;
    readonly file: string | undefined;
    /** Names of client certificates. */
    readonly operatorNames?: readonly string[];
  };
  readonly store: StoreConfig;
  readonly policy: Policy;
  readonly limits: {
    readonly perClient: ClientLimits;
    /** Of all clients together. */
    readonly connections: number;
    readonly requestsAtOnce: number;
    readonly watches: number;
  };
  /** Undefined: there are none. */
  readonly trustedProxies: BlockList | undefined;
  readonly sweepInterval: number;
  /** Processes that serve the port. */
  readonly workers: number;
  readonly pollLimit: number;
  readonly grace: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'auto' | 'json' | 'text';
}

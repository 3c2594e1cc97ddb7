import { isUnspecified, parseListenIp } from './address.ts';

/** The releases of etcd that can be told how to start. */
export const ETCD_SERIES = ['3.4', '3.5', '3.6', '3.7'] as const;
export type EtcdSeries = (typeof ETCD_SERIES)[number];

/** What a person or a script says of a node, each under the name of its parameter. Every value has been checked. */
export interface NodeSettings {
  readonly etcd: EtcdSeries;
  /** Unset: the texts have a placeholder, with which no node starts. */
  readonly name?: string | undefined;
  /** The address at which the node listens and the others reach it: IPv4, or IPv6 without brackets. */
  readonly ip?: string | undefined;
  /** Where the others reach it, when that is a DNS name or another address than `ip`. */
  readonly host?: string | undefined;
  /** Where it listens, when that is another address than `ip`. */
  readonly listen?: string | undefined;
  /** Whether nodes with `--discovery` (3.4, 3.5) are in the same cluster as nodes with `--discovery-token`. */
  readonly mixed?: boolean | undefined;
  /** Default `/var/lib/etcd`. */
  readonly dataDir?: string | undefined;
  /** Default 2379. */
  readonly clientPort?: number | undefined;
  /** Default 2380. */
  readonly peerPort?: number | undefined;
  /** The CA of a discovery service whose certificate the node's machine does not trust by itself. */
  readonly discoveryCacert?: string | undefined;
  /** With a certificate and its key the node serves its clients over TLS; with a CA it asks them for one. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly trustedCaFile?: string | undefined;
  /** The same for the other nodes. */
  readonly peerCertFile?: string | undefined;
  readonly peerKeyFile?: string | undefined;
  readonly peerTrustedCaFile?: string | undefined;
  /** Client URLs of the running cluster. Default: guessed from the hosts of its members. */
  readonly endpoints?: string | undefined;
}

/** One etcd node that is to join the cluster of a token. */
export interface NodeStart extends NodeSettings {
  /** The discovery service as the node reaches it: scheme, host, perhaps a port, perhaps a path. */
  readonly serviceUrl: string;
  readonly token: string;
  /** Set when it joins a cluster that runs: all members as `--initial-cluster`. It needs no discovery then. */
  readonly existing?: string | undefined;
}

export const DEFAULT_DATA_DIR = '/var/lib/etcd';
export const DEFAULT_CLIENT_PORT = 2379;
export const DEFAULT_PEER_PORT = 2380;

/** What stands where a value is missing. The service takes no name with a space, and etcd no such address. */
export const NAME_PLACEHOLDER = '<NODE NAME>';
export const IP_PLACEHOLDER = '<IP>';

/** Where the others reach the node. */
export function hostOf({ host, ip }: NodeSettings): string {
  return host ?? ip ?? IP_PLACEHOLDER;
}

/** Where it listens. A DNS name is not an address to listen on: without one, on all. */
export function listenIpOf({ listen, ip, host }: NodeSettings): string {
  if (listen !== undefined || ip !== undefined) return listen ?? ip ?? '';
  return host === undefined ? IP_PLACEHOLDER : (parseListenIp(host) ?? '0.0.0.0');
}

/** The URL at which the other nodes reach it. */
export function peerUrlOf(node: NodeSettings): string {
  return urlAt(peerSchemeOf(node), hostOf(node), node.peerPort ?? DEFAULT_PEER_PORT);
}

export function peerSchemeOf({ peerCertFile }: NodeSettings): 'http' | 'https' {
  return peerCertFile === undefined ? 'http' : 'https';
}

export function clientSchemeOf({ certFile }: NodeSettings): 'http' | 'https' {
  return certFile === undefined ? 'http' : 'https';
}

/** The URLs on which it listens for clients: where etcdctl looks when it is told nothing is one of them. */
export function clientListenUrls(node: NodeSettings): readonly string[] {
  const { clientPort = DEFAULT_CLIENT_PORT } = node;
  const ip = listenIpOf(node);
  const hosts = ip !== IP_PLACEHOLDER && isUnspecified(ip) ? [ip] : [...new Set([ip, '127.0.0.1'])];
  return hosts.map((host) => urlAt(clientSchemeOf(node), host, clientPort));
}

/** The URL of a port of the node. */
export function urlAt(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The URL that stands for the token in etcd's v2 dialect. */
export function discoveryUrl({ serviceUrl, token }: Pick<NodeStart, 'serviceUrl' | 'token'>): string {
  return `${serviceUrl.replace(/\/+$/, '')}/${token}`;
}

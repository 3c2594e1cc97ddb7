import { isUnspecified, parseListenIp } from './address.ts';

/** The etcd releases for which start instructions exist. */
export const ETCD_SERIES = ['3.4', '3.5', '3.6', '3.7'] as const;
export type EtcdSeries = (typeof ETCD_SERIES)[number];

/** NodeSettings are the settings of a node, each named after its parameter. Every value is valid. */
export interface NodeSettings {
  readonly etcd: EtcdSeries;
  /** Unset: the output has a placeholder, with which no node starts. */
  readonly name?: string | undefined;
  /**
   * The address on which the node listens and at which the others reach it: IPv4, or IPv6 without brackets.
   */
  readonly ip?: string | undefined;
  /** Where the others reach it, if that is a DNS name or a different address than `ip`. */
  readonly host?: string | undefined;
  /** Where it listens, if that is a different address than `ip`. */
  readonly listen?: string | undefined;
  /**
   * Whether the cluster contains both nodes with `--discovery` (3.4, 3.5) and nodes with `--discovery-token`.
   */
  readonly mixed?: boolean | undefined;
  /** Default: `/var/lib/etcd`. */
  readonly dataDir?: string | undefined;
  /** Default: 2379. */
  readonly clientPort?: number | undefined;
  /** Default: 2380. */
  readonly peerPort?: number | undefined;
  /** The CA of a discovery service whose certificate is not in the trust store of the node's machine. */
  readonly discoveryCacert?: string | undefined;
  /**
   * With a certificate and its key the node serves clients over TLS; with a CA it requires client
   * certificates.
   */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly trustedCaFile?: string | undefined;
  /** The same for the peers. */
  readonly peerCertFile?: string | undefined;
  readonly peerKeyFile?: string | undefined;
  readonly peerTrustedCaFile?: string | undefined;
  /** Client URLs of the running cluster. Default: guessed from the hosts of its members. */
  readonly endpoints?: string | undefined;
}

/** NodeStart is one etcd node that will join the cluster of a token. */
export interface NodeStart extends NodeSettings {
  /** The URL of the discovery service as the node reaches it: scheme, host, optional port and path. */
  readonly serviceUrl: string;
  readonly token: string;
  /** Set when it joins a running cluster: all members for `--initial-cluster`. It then needs no discovery. */
  readonly existing?: string | undefined;
}

export const DEFAULT_DATA_DIR = '/var/lib/etcd';
export const DEFAULT_CLIENT_PORT = 2379;
export const DEFAULT_PEER_PORT = 2380;

/** Replaces a missing value. The service rejects names with spaces, and etcd rejects such addresses. */
export const NAME_PLACEHOLDER = '<NODE NAME>';
export const IP_PLACEHOLDER = '<IP>';

/** Returns whether a text for a node still contains a placeholder. */
export function isUnfinished(text: string): boolean {
  return text.includes(NAME_PLACEHOLDER) || text.includes(IP_PLACEHOLDER);
}

/** Returns the host at which the others reach the node. */
export function hostOf({ host, ip }: NodeSettings): string {
  return host ?? ip ?? IP_PLACEHOLDER;
}

/**
 * Returns the address on which it listens. One cannot listen on a DNS name: without an address, it listens on
 * all.
 */
export function listenIpOf({ listen, ip, host }: NodeSettings): string {
  if (listen !== undefined || ip !== undefined) return listen ?? ip ?? '';
  return host === undefined ? IP_PLACEHOLDER : (parseListenIp(host) ?? '0.0.0.0');
}

/** Returns the URL at which the other nodes reach it. */
export function peerUrlOf(node: NodeSettings): string {
  return urlAt(peerSchemeOf(node), hostOf(node), node.peerPort ?? DEFAULT_PEER_PORT);
}

export function peerSchemeOf({ peerCertFile }: NodeSettings): 'http' | 'https' {
  return peerCertFile === undefined ? 'http' : 'https';
}

export function clientSchemeOf({ certFile }: NodeSettings): 'http' | 'https' {
  return certFile === undefined ? 'http' : 'https';
}

/** Returns the URLs on which it listens for clients, including the one that etcdctl uses by default. */
export function clientListenUrls(node: NodeSettings): readonly string[] {
  const { clientPort = DEFAULT_CLIENT_PORT } = node;
  const ip = listenIpOf(node);
  const hosts = ip !== IP_PLACEHOLDER && isUnspecified(ip) ? [ip] : [...new Set([ip, '127.0.0.1'])];
  return hosts.map((host) => urlAt(clientSchemeOf(node), host, clientPort));
}

/** Returns the URL of a port of the node. */
export function urlAt(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Returns the URL of the token in etcd's v2 dialect. */
export function discoveryUrl({ serviceUrl, token }: Pick<NodeStart, 'serviceUrl' | 'token'>): string {
  return `${serviceUrl.replace(/\/+$/, '')}/${token}`;
}

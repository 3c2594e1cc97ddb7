/** The releases of etcd that can be told how to start. */
export const ETCD_SERIES = ['3.4', '3.5', '3.6', '3.7'] as const;
export type EtcdSeries = (typeof ETCD_SERIES)[number];

/** One etcd node that is to join the cluster of a token. Everything in it has been checked by its reader. */
export interface NodeStart {
  readonly etcd: EtcdSeries;
  readonly name: string;
  /** The address at which the other nodes reach this one: IPv4, or IPv6 without brackets. */
  readonly ip: string;
  /** The discovery service as the node reaches it: scheme, host and perhaps a port. */
  readonly serviceUrl: string;
  readonly token: string;
  /** Whether nodes with `--discovery` (3.4, 3.5) are in the same cluster as nodes with `--discovery-token`. */
  readonly mixed?: boolean;
  /** Default `/var/lib/etcd`. */
  readonly dataDir?: string;
  /** Default 2379. */
  readonly clientPort?: number;
  /** Default 2380. */
  readonly peerPort?: number;
  /** The CA of a discovery service whose certificate the node's machine does not trust by itself. */
  readonly caFile?: string;
}

export const DEFAULT_DATA_DIR = '/var/lib/etcd';
export const DEFAULT_CLIENT_PORT = 2379;
export const DEFAULT_PEER_PORT = 2380;

/** An IP address that can stand in a node's URLs, as given; undefined when the text is none. */
export function parseNodeIp(text: string): string | undefined {
  const octets = text.split('.');
  if (octets.length === 4 && octets.every((each) => /^(0|[1-9]\d{0,2})$/.test(each) && Number(each) <= 255)) {
    return text === '0.0.0.0' ? undefined : text;
  }
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return undefined;
  try {
    return new URL(`http://[${text}]`).hostname === '[::]' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The URL of a port of the node. */
export function urlAt(ip: string, port: number): string {
  return `http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

/** The URL that stands for the token in etcd's v2 dialect. */
export function discoveryUrl({ serviceUrl, token }: Pick<NodeStart, 'serviceUrl' | 'token'>): string {
  return `${serviceUrl.replace(/\/+$/, '')}/${token}`;
}

import {
  DEFAULT_CLIENT_PORT,
  DEFAULT_DATA_DIR,
  DEFAULT_PEER_PORT,
  discoveryUrl,
  type NodeStart,
  urlAt,
} from './node.ts';

/** How a node finds the service: by a URL (3.4, 3.5), or by a token and endpoints (3.6, 3.7). */
export type Finding =
  | { readonly dialect: 'V2'; readonly url: string }
  | {
      readonly dialect: 'V3';
      readonly token: string;
      readonly endpoint: string;
      readonly tls: boolean;
      readonly caFile: string | undefined;
    };

/** What of a node says how it finds the service. */
type Where = Pick<NodeStart, 'etcd' | 'serviceUrl' | 'token' | 'mixed' | 'caFile'>;

/** What etcd is told, by the name of its flag (without dashes). */
export type Settings = ReadonlyArray<readonly [flag: string, value: string]>;

export function findingOf(node: Where): Finding {
  const url = discoveryUrl(node);
  if (node.etcd === '3.4' || node.etcd === '3.5') return { dialect: 'V2', url };
  const { protocol, hostname, port } = new URL(node.serviceUrl);
  const tls = protocol === 'https:';
  return {
    dialect: 'V3',
    // etcd makes the id of the cluster from this text, so all nodes must have the same.
    token: node.mixed === true ? url : node.token,
    // Its gRPC client knows no port that a scheme stands for.
    endpoint: `${protocol}//${hostname}:${port || (tls ? 443 : 80)}`,
    tls,
    caFile: node.caFile,
  };
}

/** Who the node is, where it listens and where it keeps its data: the same for every version. */
export function nodeSettings(node: NodeStart): Settings {
  const { name, ip, dataDir = DEFAULT_DATA_DIR } = node;
  const peerUrl = urlAt(ip, node.peerPort ?? DEFAULT_PEER_PORT);
  const clientPort = node.clientPort ?? DEFAULT_CLIENT_PORT;
  const clientUrl = urlAt(ip, clientPort);
  // Where etcdctl looks when it is told nothing.
  const localUrl = urlAt('127.0.0.1', clientPort);
  return [
    ['name', name],
    ['data-dir', dataDir],
    ['listen-peer-urls', peerUrl],
    ['initial-advertise-peer-urls', peerUrl],
    ['listen-client-urls', [...new Set([clientUrl, localUrl])].join(',')],
    ['advertise-client-urls', clientUrl],
  ];
}

/** As flags, and as `ETCD_` variables. */
export function allSettings(node: NodeStart): Settings {
  return [...nodeSettings(node), ...discoverySettings(findingOf(node))];
}

/** The flags by which a node finds the service, to stand beside the node's own in a line for a person. */
export function findingFlags(where: Where): string[] {
  // A switch takes its value behind an equals sign only.
  return discoverySettings(findingOf(where)).map(
    ([flag, value]) => `--${flag}${value === 'false' ? '=' : ' '}${value}`,
  );
}

function discoverySettings(finding: Finding): Settings {
  if (finding.dialect === 'V2') return [['discovery', finding.url]];
  return [
    ['discovery-token', finding.token],
    ['discovery-endpoints', finding.endpoint],
    ...(finding.tls ? ([['discovery-insecure-transport', 'false']] as const) : []),
    ...(finding.caFile === undefined ? [] : ([['discovery-cacert', finding.caFile]] as const)),
  ];
}

/** What must be in etcd's environment beside its settings: `--discovery` has no flag for a CA. */
export function environment(node: NodeStart): Settings {
  const { caFile } = node;
  return findingOf(node).dialect === 'V2' && caFile !== undefined ? [['SSL_CERT_FILE', caFile]] : [];
}

import {
  clientListenUrls,
  clientSchemeOf,
  DEFAULT_CLIENT_PORT,
  DEFAULT_DATA_DIR,
  DEFAULT_PEER_PORT,
  discoveryUrl,
  hostOf,
  listenIpOf,
  NAME_PLACEHOLDER,
  type NodeStart,
  peerSchemeOf,
  peerUrlOf,
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
type Where = Pick<NodeStart, 'etcd' | 'serviceUrl' | 'token' | 'mixed' | 'discoveryCacert'>;

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
    caFile: node.discoveryCacert,
  };
}

/** Who the node is, where it listens and where it keeps its data: the same for every version. */
export function nodeSettings(node: NodeStart): Settings {
  const { name = NAME_PLACEHOLDER, dataDir = DEFAULT_DATA_DIR } = node;
  const { clientPort = DEFAULT_CLIENT_PORT, peerPort = DEFAULT_PEER_PORT } = node;
  return [
    ['name', name],
    ['data-dir', dataDir],
    ['listen-peer-urls', urlAt(peerSchemeOf(node), listenIpOf(node), peerPort)],
    ['initial-advertise-peer-urls', peerUrlOf(node)],
    ['listen-client-urls', clientListenUrls(node).join(',')],
    ['advertise-client-urls', urlAt(clientSchemeOf(node), hostOf(node), clientPort)],
  ];
}

/** The files of its certificates, for clients and for the other nodes. */
export interface Certificates {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

export function clientCertificates({
  certFile,
  keyFile,
  trustedCaFile,
}: NodeStart): Certificates | undefined {
  return certFile === undefined || keyFile === undefined
    ? undefined
    : { cert: certFile, key: keyFile, ca: trustedCaFile };
}

export function peerCertificates(node: NodeStart): Certificates | undefined {
  const { peerCertFile: cert, peerKeyFile: key, peerTrustedCaFile: ca } = node;
  return cert === undefined || key === undefined ? undefined : { cert, key, ca };
}

function certificateSettings(prefix: '' | 'peer-', certificates: Certificates | undefined): Settings {
  if (certificates === undefined) return [];
  const { cert, key, ca } = certificates;
  return [
    [`${prefix}cert-file`, cert],
    [`${prefix}key-file`, key],
    ...(ca === undefined
      ? []
      : ([
          [`${prefix}trusted-ca-file`, ca],
          [`${prefix}client-cert-auth`, 'true'],
        ] as const)),
  ];
}

/** As flags, and as `ETCD_` variables. */
export function allSettings(node: NodeStart): Settings {
  return [
    ...nodeSettings(node),
    ...certificateSettings('', clientCertificates(node)),
    ...certificateSettings('peer-', peerCertificates(node)),
    ...clusterSettings(node),
  ];
}

/** How it gets to know the others. */
export function clusterSettings(node: NodeStart): Settings {
  return node.existing === undefined ? discoverySettings(findingOf(node)) : existingSettings(node.existing);
}

export function existingSettings(initialCluster: string): Settings {
  return [
    ['initial-cluster', initialCluster],
    ['initial-cluster-state', 'existing'],
  ];
}

/** Settings that have a placeholder in them: they are not quoted for a shell, which then does not run the line. */
export function unfinishedFlags({ name, ip, host }: NodeStart): ReadonlySet<string> {
  const urls = [
    'listen-peer-urls',
    'initial-advertise-peer-urls',
    'listen-client-urls',
    'advertise-client-urls',
  ];
  return new Set([
    ...(name === undefined ? ['name'] : []),
    ...(ip === undefined && host === undefined ? urls : []),
  ]);
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
  const { discoveryCacert, existing } = node;
  if (discoveryCacert === undefined || existing !== undefined) return [];
  return findingOf(node).dialect === 'V2' ? [['SSL_CERT_FILE', discoveryCacert]] : [];
}

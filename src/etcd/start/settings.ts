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

/** Finding is how a node finds the service: by a URL (3.4, 3.5), or by a token and endpoints (3.6, 3.7). */
export type Finding =
  | { readonly dialect: 'V2'; readonly url: string }
  | {
      readonly dialect: 'V3';
      readonly token: string;
      readonly endpoint: string;
      readonly tls: boolean;
      readonly caFile: string | undefined;
    };

/** Where is the part of a node that determines how it finds the service. */
type Where = Pick<NodeStart, 'etcd' | 'serviceUrl' | 'token' | 'mixed' | 'discoveryCacert'>;

/** Settings are etcd's settings by the names of their flags (without dashes). */
export type Settings = ReadonlyArray<readonly [flag: string, value: string]>;

export function findingOf(node: Where): Finding {
  const url = discoveryUrl(node);
  if (node.etcd === '3.4' || node.etcd === '3.5') return { dialect: 'V2', url };
  const { protocol, hostname, port } = new URL(node.serviceUrl);
  const tls = protocol === 'https:';
  return {
    dialect: 'V3',
    // etcd derives the cluster ID from this text, so all nodes must use the same.
    token: node.mixed === true ? url : node.token,
    // Its gRPC client does not know the default ports of schemes.
    endpoint: `${protocol}//${hostname}:${port || (tls ? 443 : 80)}`,
    tls,
    caFile: node.discoveryCacert,
  };
}

/** Returns the node's identity, listen addresses and data directory: the same for every version. */
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

/** Certificates are the certificate files of the node, for clients and for peers. */
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

/** Returns all settings, for flags and for `ETCD_` variables. */
export function allSettings(node: NodeStart): Settings {
  return [
    ...nodeSettings(node),
    ...certificateSettings('', clientCertificates(node)),
    ...certificateSettings('peer-', peerCertificates(node)),
    ...clusterSettings(node),
  ];
}

/** Returns the settings by which the node learns about the others. */
export function clusterSettings(node: NodeStart): Settings {
  return node.existing === undefined ? discoverySettings(findingOf(node)) : existingSettings(node.existing);
}

export function existingSettings(initialCluster: string): Settings {
  return [
    ['initial-cluster', initialCluster],
    ['initial-cluster-state', 'existing'],
  ];
}

/**
 * Returns the settings that contain a placeholder. They are not quoted, so that a shell does not run the
 * command.
 */
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

/**
 * Returns the flags by which a node finds the service, to be added to the node's own flags in a command for
 * people.
 */
export function findingFlags(where: Where): string[] {
  // A switch accepts its value only after an equals sign.
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

/**
 * Returns the environment variables that etcd needs besides its settings: `--discovery` has no flag for a CA.
 */
export function environment(node: NodeStart): Settings {
  const { discoveryCacert, existing } = node;
  if (discoveryCacert === undefined || existing !== undefined) return [];
  return findingOf(node).dialect === 'V2' ? [['SSL_CERT_FILE', discoveryCacert]] : [];
}

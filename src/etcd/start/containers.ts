import { DEFAULT_DATA_DIR, type EtcdSeries, hostOf, NAME_PLACEHOLDER, type NodeStart } from './node.ts';
import { allSettings, environment } from './settings.ts';
import { type Yaml, yamlText } from './yaml.ts';

const IMAGE = 'quay.io/coreos/etcd';
/** A release of each series. */
const TAGS: Readonly<Record<EtcdSeries, string>> = {
  '3.4': 'v3.4.37',
  '3.5': 'v3.5.35',
  '3.6': 'v3.6.16',
  '3.7': 'v3.7.3',
};

/** Returns a Compose file with this one node, on the network of the host, which has its address. */
export function composeText(node: NodeStart): string {
  const file = yamlText({
    services: {
      [labelOf(node.name)]: {
        image: `${IMAGE}:${TAGS[node.etcd]}`,
        network_mode: 'host',
        restart: 'unless-stopped',
        command: commandOf(node).map(literal),
        ...orNothing('environment', Object.fromEntries(environment(node).map(([k, v]) => [k, literal(v)]))),
        volumes: volumesOf(node).map(({ path, readOnly }) => ({
          type: 'bind',
          source: literal(path),
          target: literal(path),
          ...(readOnly ? { read_only: true } : { bind: { create_host_path: true } }),
        })),
      },
    },
  });
  return `# Run on the machine with the address ${hostOf(node)}: docker compose up -d\n${file}`;
}

/** Returns a static pod: a file for the manifest directory of the kubelet on the machine with the address. */
export function kubernetesText(node: NodeStart): string {
  const volumes = volumesOf(node);
  const pod = yamlText({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: labelOf(node.name), namespace: 'kube-system', labels: { app: 'etcd' } },
    spec: {
      hostNetwork: true,
      containers: [
        {
          name: 'etcd',
          image: `${IMAGE}:${TAGS[node.etcd]}`,
          command: commandOf(node).map(literal),
          ...orNothing(
            'env',
            environment(node).map(([name, value]) => ({ name, value: literal(value) })),
          ),
          volumeMounts: volumes.map(({ name, path, readOnly }) => ({
            name,
            mountPath: path,
            ...(readOnly && { readOnly }),
          })),
        },
      ],
      volumes: volumes.map(({ name, path, readOnly }) => ({
        name,
        hostPath: { path, type: readOnly ? 'File' : 'DirectoryOrCreate' },
      })),
    },
  });
  return `# A static pod: save it in /etc/kubernetes/manifests on the machine with the address ${hostOf(node)}.\n${pod}`;
}

/** Escapes a text in which both kinds of file would substitute variables. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function commandOf(node: NodeStart): string[] {
  return ['/usr/local/bin/etcd', ...allSettings(node).map(([flag, value]) => `--${flag}=${value}`)];
}

/** Returns the files and directories that etcd uses, as volumes, each once. */
function volumesOf(node: NodeStart): Array<{ name: string; path: string; readOnly: boolean }> {
  const files = {
    cert: node.certFile,
    key: node.keyFile,
    'trusted-ca': node.trustedCaFile,
    'peer-cert': node.peerCertFile,
    'peer-key': node.peerKeyFile,
    'peer-trusted-ca': node.peerTrustedCaFile,
    'discovery-ca': node.existing === undefined ? node.discoveryCacert : undefined,
  };
  const volumes = new Map<string, string>();
  for (const [name, path] of Object.entries(files)) {
    if (path !== undefined && !volumes.has(path)) volumes.set(path, name);
  }
  return [
    { name: 'data', path: node.dataDir ?? DEFAULT_DATA_DIR, readOnly: false },
    ...[...volumes].map(([path, name]) => ({ name, path, readOnly: true })),
  ];
}

function orNothing(key: string, value: Yaml): { readonly [key: string]: Yaml } {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

/**
 * Converts a name to what both kinds of file accept: lower-case letters, digits and dashes, with a letter or
 * digit at each end.
 */
function labelOf(name: string | undefined): string {
  // A placeholder, which neither accepts.
  if (name === undefined) return NAME_PLACEHOLDER;
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return label.replace(/-$/, '') || 'etcd';
}

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

/** A Compose file with this one node, on the network of its host, whose address it has. */
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
  return `# On the machine that has ${hostOf(node)}: docker compose up -d\n${file}`;
}

/** A static pod: a file for the manifest directory of the kubelet on the machine that has the address. */
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
  return `# A static pod: put it into /etc/kubernetes/manifests on the machine that has ${hostOf(node)}.\n${pod}`;
}

/** A text in which both kinds of file would put variables. */
function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}

function commandOf(node: NodeStart): string[] {
  return ['/usr/local/bin/etcd', ...allSettings(node).map(([flag, value]) => `--${flag}=${value}`)];
}

/** Each file and directory that etcd is told of: the same one is there once. */
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

/** A name as both kinds of file take it: small letters, digits and dashes, a letter or digit at the ends. */
function labelOf(name: string | undefined): string {
  // Which neither takes.
  if (name === undefined) return NAME_PLACEHOLDER;
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return label.replace(/-$/, '') || 'etcd';
}

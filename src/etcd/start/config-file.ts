import type { NodeStart } from './node.ts';
import {
  type Certificates,
  clientCertificates,
  environment,
  existingSettings,
  findingOf,
  nodeSettings,
  peerCertificates,
} from './settings.ts';
import { shellWord } from './shell-word.ts';
import { type Yaml, yamlText } from './yaml.ts';

// etcd's own defaults, written out because this is where users would change them. The file accepts only
// nanoseconds.
const DIAL_TIMEOUT_NS = 2_000_000_000;
const REQUEST_TIMEOUT_NS = 5_000_000_000;

type Mapping = { readonly [key: string]: Yaml };

/** Returns a file for `--config-file`. */
export function configFileText(node: NodeStart): string {
  const start = [
    ...environment(node).map(([name, value]) => `${name}=${shellWord(value)} `),
    'etcd --config-file FILE',
  ];
  const comments = [`# Start it with: ${start.join('')}`];
  const cluster = clusterMapping(node);
  if ('discovery-config' in cluster) comments.push('# Timeouts are in nanoseconds.');
  // With a file, etcd 3.4 enables its JSON API only on request; otherwise every version does by default.
  const gateway = node.etcd === '3.4' ? { 'enable-grpc-gateway': true } : {};
  const settings = {
    ...Object.fromEntries(nodeSettings(node)),
    ...security('client', clientCertificates(node)),
    ...security('peer', peerCertificates(node)),
    ...gateway,
    ...cluster,
  };
  return `${comments.join('\n')}\n${yamlText(settings)}`;
}

/** Nested, and with other names than the flags. */
function security(whose: 'client' | 'peer', certificates: Certificates | undefined): Mapping {
  if (certificates === undefined) return {};
  const { cert, key, ca } = certificates;
  const authority = ca === undefined ? {} : { 'trusted-ca-file': ca, 'client-cert-auth': true };
  return { [`${whose}-transport-security`]: { 'cert-file': cert, 'key-file': key, ...authority } };
}

function clusterMapping(node: NodeStart): Mapping {
  if (node.existing !== undefined) return Object.fromEntries(existingSettings(node.existing));
  const finding = findingOf(node);
  return finding.dialect === 'V2' ? { discovery: finding.url } : discoveryConfig(finding);
}

/** Nested as well. */
function discoveryConfig(finding: Extract<ReturnType<typeof findingOf>, { dialect: 'V3' }>): Mapping {
  return {
    'discovery-config': {
      token: finding.token,
      client: {
        endpoints: [finding.endpoint],
        'dial-timeout': DIAL_TIMEOUT_NS,
        'request-timeout': REQUEST_TIMEOUT_NS,
        ...(finding.tls && {
          secure: {
            'insecure-transport': false,
            ...(finding.caFile !== undefined && { cacert: finding.caFile }),
          },
        }),
      },
    },
  };
}

import type { NodeStart } from './node.ts';
import { environment, findingOf, nodeSettings } from './settings.ts';
import { shellWord } from './shell-word.ts';
import { type Yaml, yamlText } from './yaml.ts';

// etcd's own defaults, stated since this is where one would change them: the file takes nanoseconds only.
const DIAL_TIMEOUT_NS = 2_000_000_000;
const REQUEST_TIMEOUT_NS = 5_000_000_000;

/** A file for `--config-file`. */
export function configFileText(node: NodeStart): string {
  const finding = findingOf(node);
  const start = [
    ...environment(node).map(([name, value]) => `${name}=${shellWord(value)} `),
    'etcd --config-file FILE',
  ];
  const comments = [`# Start it with: ${start.join('')}`];
  if (finding.dialect === 'V3') comments.push('# Timeouts are in nanoseconds.');
  const discovery = finding.dialect === 'V2' ? { discovery: finding.url } : discoveryConfig(finding);
  // With a file 3.4 has no JSON API unless it is asked for; every other start of every etcd has it.
  const gateway = node.etcd === '3.4' ? { 'enable-grpc-gateway': true } : {};
  const settings = { ...Object.fromEntries(nodeSettings(node)), ...gateway, ...discovery };
  return `${comments.join('\n')}\n${yamlText(settings)}`;
}

/** Nested, and under other names than the flags'. */
function discoveryConfig(finding: Extract<ReturnType<typeof findingOf>, { dialect: 'V3' }>): {
  readonly [key: string]: Yaml;
} {
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

import type { Cluster } from '../../../gen/discovery/v1/cluster_pb.ts';
import { findingFlags } from '../../etcd/start/settings.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import type { Style } from './style.ts';
import { instantFromNow } from './time.ts';

/** A token that was made, and how the service was reached for it. */
export interface Made {
  readonly cluster: Cluster;
  readonly created: boolean;
  /** With the secret that nodes need, where there is one. */
  readonly token: string;
  readonly url: string;
  readonly server: string;
  /** Flags that the next command needs as well. */
  readonly tlsFlags: string;
  readonly tls: Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;
}

/** The token, and the lines that nodes are started with: they need the CA that this command has needed. */
export function newText({ cluster, created, token, url, server, tlsFlags, tls }: Made, style: Style): string {
  const { size } = cluster;
  const word = shellWord(url);
  const nodeCa = tls.cacert === undefined ? '' : ` --discovery-cacert ${shellWord(tls.cacert)}`;
  return `${created ? 'A token' : 'The token was there already,'} for a cluster of ${size}:

  token    ${style.bold(token)}
  URL      ${style.bold(url)}
  expires  ${instantFromNow(cluster.expireTime)}

${size === 1 ? 'Start the node' : `Start each of the ${size} nodes`} with it, beside the node's own name and URLs:

  etcd 3.4, 3.5   ${v2Line(word, tls)}
  etcd 3.6, 3.7   ${v3Line(server, token, tls)}

All that a node needs: etcd-discovery flags ${word} --etcd 3.6 --name NAME --ip ADDRESS${nodeCa}${tlsFlags}
Watch them come:       etcd-discovery watch ${word}${tlsFlags}
`;
}

/** `--discovery` has no flags for TLS: a CA comes from the environment, and a client certificate from nowhere. */
function v2Line(url: string, { cacert, cert }: Made['tls']): string {
  if (cert !== undefined) return 'cannot present the client certificate that this service requires';
  const environment =
    cacert === undefined ? '' : `, with SSL_CERT_FILE=${shellWord(cacert)} in the environment`;
  return `--discovery ${url}${environment}`;
}

function v3Line(server: string, token: string, { cacert, cert, key }: Made['tls']): string {
  const finding = findingFlags({
    etcd: '3.7',
    serviceUrl: server,
    token: shellWord(token),
    ...(cacert !== undefined && { discoveryCacert: shellWord(cacert) }),
  });
  const own =
    cert === undefined || key === undefined
      ? []
      : [`--discovery-cert ${shellWord(cert)} --discovery-key ${shellWord(key)}`];
  return [...finding, ...own].join(' ');
}

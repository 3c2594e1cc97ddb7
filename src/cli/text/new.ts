import type { Cluster } from '../../../gen/discovery/v1/cluster_pb.ts';
import { findingFlags } from '../../etcd/start/settings.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import type { Style } from './style.ts';
import { instantFromNow } from './time.ts';

/** CreatedToken is a created token, and how the service was reached for it. */
export interface CreatedToken {
  readonly cluster: Cluster;
  readonly created: boolean;
  /** With the secret that nodes need, if there is one. */
  readonly token: string;
  readonly url: string;
  readonly server: string;
  /** Flags that the next command needs as well. */
  readonly tlsFlags: string;
  readonly tls: Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;
}

/** Formats the token and the commands that start nodes, with the CA that this command needed. */
export function newText(
  { cluster, created, token, url, server, tlsFlags, tls }: CreatedToken,
  style: Style,
): string {
  const { size } = cluster;
  const word = shellWord(url);
  const nodeCa = tls.cacert === undefined ? '' : ` --discovery-cacert ${shellWord(tls.cacert)}`;
  return `${created ? 'Created a token' : 'The token already exists'} for a cluster of ${size}:

  token    ${style.bold(token)}
  URL      ${style.bold(url)}
  expires  ${instantFromNow(cluster.expireTime)}

${size === 1 ? 'Start the node' : `Start each of the ${size} nodes`} with it, in addition to the node's own name and URLs:

  etcd 3.4, 3.5   ${v2Line(word, tls)}
  etcd 3.6, 3.7   ${v3Line(server, token, tls)}

All settings:  etcd-discovery flags ${word} --etcd 3.6 --name NAME --ip ADDRESS${nodeCa}${tlsFlags}
Watch nodes:   etcd-discovery watch ${word}${tlsFlags}
`;
}

/**
 * `--discovery` has no TLS flags: the CA comes from an environment variable, and client certificates are not
 * supported.
 */
function v2Line(url: string, { cacert, cert }: CreatedToken['tls']): string {
  if (cert !== undefined)
    return 'not possible: these versions cannot present the client certificate that this service requires';
  const environment =
    cacert === undefined ? '' : `, with SSL_CERT_FILE=${shellWord(cacert)} in the environment`;
  return `--discovery ${url}${environment}`;
}

function v3Line(server: string, token: string, { cacert, cert, key }: CreatedToken['tls']): string {
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

import { DEFAULT_CLIENT_PORT, DEFAULT_PEER_PORT, type NodeSettings } from './node.ts';
import type { StartFormat } from './text.ts';

/** Formats whose reader has no working directory of the user's. */
const ABSOLUTE: ReadonlySet<StartFormat> = new Set(['systemd', 'compose', 'kubernetes']);

/**
 * What etcd would refuse in a node whose every value is good by itself, and what to do; undefined when it would
 * start. Names are those of the parameters.
 */
export function contradictionIn(node: NodeSettings, format: StartFormat): string | undefined {
  const { clientPort = DEFAULT_CLIENT_PORT, peerPort = DEFAULT_PEER_PORT } = node;
  if (clientPort === peerPort) return `client-port and peer-port are both ${peerPort}: give them two`;
  return (
    incomplete('', node.certFile, node.keyFile, node.trustedCaFile) ??
    incomplete('peer-', node.peerCertFile, node.peerKeyFile, node.peerTrustedCaFile) ??
    (ABSOLUTE.has(format) ? relativeIn(node, format) : undefined)
  );
}

function incomplete(kind: '' | 'peer-', cert?: string, key?: string, ca?: string): string | undefined {
  if (cert !== undefined && key === undefined) return `${kind}cert-file needs ${kind}key-file`;
  if (key !== undefined && cert === undefined) return `${kind}key-file needs ${kind}cert-file`;
  if (ca !== undefined && cert === undefined)
    return `${kind}trusted-ca-file needs ${kind}cert-file and ${kind}key-file`;
  return undefined;
}

function relativeIn(node: NodeSettings, format: StartFormat): string | undefined {
  const paths = {
    'data-dir': node.dataDir,
    'cert-file': node.certFile,
    'key-file': node.keyFile,
    'trusted-ca-file': node.trustedCaFile,
    'peer-cert-file': node.peerCertFile,
    'peer-key-file': node.peerKeyFile,
    'peer-trusted-ca-file': node.peerTrustedCaFile,
    'discovery-cacert': node.discoveryCacert,
  };
  const [name] = Object.entries(paths).find(([, path]) => path !== undefined && !path.startsWith('/')) ?? [];
  return name === undefined ? undefined : `${name} has to begin with / in the format ${format}`;
}

import { DEFAULT_CLIENT_PORT, DEFAULT_PEER_PORT, type NodeSettings } from './node.ts';
import type { StartFormat } from './text.ts';

/** Formats that are not interpreted in the user's working directory. */
const ABSOLUTE: ReadonlySet<StartFormat> = new Set(['systemd', 'compose', 'kubernetes']);

/**
 * Returns why etcd would reject a combination of settings that are each valid, and what to do. Undefined if
 * the node would start. Settings are named by their parameters.
 */
export function contradictionIn(node: NodeSettings, format: StartFormat): string | undefined {
  const { clientPort = DEFAULT_CLIENT_PORT, peerPort = DEFAULT_PEER_PORT } = node;
  if (clientPort === peerPort) return `client-port and peer-port are both ${peerPort}; set different ports`;
  return (
    incomplete('', node.certFile, node.keyFile, node.trustedCaFile) ??
    incomplete('peer-', node.peerCertFile, node.peerKeyFile, node.peerTrustedCaFile) ??
    (ABSOLUTE.has(format) ? relativeIn(node, format) : undefined)
  );
}

function incomplete(kind: '' | 'peer-', cert?: string, key?: string, ca?: string): string | undefined {
  if (cert !== undefined && key === undefined) return `${kind}cert-file requires ${kind}key-file`;
  if (key !== undefined && cert === undefined) return `${kind}key-file requires ${kind}cert-file`;
  if (ca !== undefined && cert === undefined)
    return `${kind}trusted-ca-file requires ${kind}cert-file and ${kind}key-file`;
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
  return name === undefined ? undefined : `${name} must begin with / for format ${format}`;
}

import { listOf } from '../../values/list.ts';
import { parseHost, parseListenIp, parseNodeIp } from './address.ts';
import { DEFAULT_CLIENT_PORT, DEFAULT_DATA_DIR, DEFAULT_PEER_PORT, ETCD_SERIES } from './node.ts';

/** Row is one setting of a node: a query parameter, a command-line flag, and a field of the page. */
interface Row<T> {
  /** Its name, the same everywhere. */
  readonly flag: string;
  readonly value: string;
  readonly words?: readonly string[];
  /** The accepted values, phrased to follow "takes". */
  readonly takes: string;
  /** Returns undefined to reject the text. */
  readonly parse: (text: string) => T | undefined;
  readonly help: string;
}

// The service's own limit. Checked here because its error would appear only in the node's log.
const LONGEST_NAME = 253;

/** Characters that could end a line, change its direction, or are invisible. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/u;

function parseName(text: string): string | undefined {
  const isName = text.length <= LONGEST_NAME && /^[^\s,=]+$/.test(text) && !UNFIT.test(text);
  return isName ? text : undefined;
}

function parseFile(text: string): string | undefined {
  return text === '' || UNFIT.test(text) ? undefined : text;
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function parseEndpoints(text: string): string | undefined {
  const isUrl = (url: string): boolean => {
    const [, host = '', port = ''] = /^https?:\/\/(\[[^\]]*\]|[^/:[\]]+):(\d+)$/.exec(url) ?? [];
    return parseHost(host.replace(/^\[(.*)\]$/, '$1')) !== undefined && parsePort(port) !== undefined;
  };
  return text.length <= LONGEST_ENDPOINTS && text.split(',').every(isUrl) ? text : undefined;
}

const LONGEST_ENDPOINTS = 4096;

function wordOf<const W extends string>(...words: readonly W[]) {
  return {
    value: words.join('|'),
    words,
    takes: listOf(words, 'or'),
    parse: (text: string): W | undefined => words.find((word) => word === text),
  };
}

const port = (flag: string, preset: number, help: string) => ({
  flag,
  value: 'PORT',
  takes: 'a port, 1 to 65535',
  parse: parsePort,
  help: `${help} Default ${preset}.`,
});

const file = (flag: string, help: string) => ({
  flag,
  value: 'FILE',
  takes: 'a file',
  parse: parseFile,
  help,
});

/** The settings by the names that NodeSettings uses. Settings that are etcd's own flags have etcd's names. */
export const PARAMETERS = {
  etcd: { flag: 'etcd', ...wordOf(...ETCD_SERIES), help: "The node's version of etcd." },
  name: {
    flag: 'name',
    value: 'NAME',
    takes: `a name like infra1: at most ${LONGEST_NAME} characters, no comma, equals sign or space`,
    parse: parseName,
    help: "The node's name.",
  },
  ip: {
    flag: 'ip',
    value: 'ADDRESS',
    takes: 'an IP address like 10.0.0.1 or fd00::1 that the other nodes can reach; --host takes a DNS name',
    parse: parseNodeIp,
    help: 'The IP address on which the node listens and at which other nodes reach it. Required without --host.',
  },
  host: {
    flag: 'host',
    value: 'HOST',
    takes: 'a DNS name like infra1.example.com, or an IP address, that the other nodes can reach',
    parse: parseHost,
    help: 'The DNS name or address at which other nodes reach it, if different from --ip. Without --ip it listens on all IPv4 addresses.',
  },
  listen: {
    flag: 'listen',
    value: 'ADDRESS',
    takes: 'an IP address of the node, or 0.0.0.0 or :: for all of them; etcd cannot listen on a DNS name',
    parse: parseListenIp,
    help: 'The address on which it listens, if different from --ip.',
  },
  clientPort: port('client-port', DEFAULT_CLIENT_PORT, 'The port for clients.'),
  peerPort: port('peer-port', DEFAULT_PEER_PORT, 'The port for the other nodes.'),
  dataDir: {
    flag: 'data-dir',
    value: 'DIR',
    takes: 'a directory',
    parse: parseFile,
    help: `The data directory. Default ${DEFAULT_DATA_DIR}.`,
  },
  data: {
    flag: 'data',
    ...wordOf('kept', 'lost'),
    help: 'Whether the node still has the data of an earlier start. In a complete cluster, lost replaces the member.',
  },
  certFile: file('cert-file', 'Path on the node: its certificate for clients. Clients then use https.'),
  keyFile: file('key-file', "Path on the node: that certificate's key."),
  trustedCaFile: file(
    'trusted-ca-file',
    'Path on the node: the CA that signs client certificates. Clients must then present one.',
  ),
  peerCertFile: file(
    'peer-cert-file',
    'Path on the node: its certificate for the other nodes. They then use https.',
  ),
  peerKeyFile: file('peer-key-file', "Path on the node: that certificate's key."),
  peerTrustedCaFile: file('peer-trusted-ca-file', "Path on the node: the CA of all nodes' certificates."),
  discoveryCacert: file(
    'discovery-cacert',
    "Path on the node: the CA of the discovery service's certificate, if the machine does not trust it already.",
  ),
  endpoints: {
    flag: 'endpoints',
    value: 'URLS',
    takes: 'client URLs of the running cluster, like http://10.0.0.1:2379,http://10.0.0.2:2379',
    parse: parseEndpoints,
    help: 'Client URLs of the running cluster, for etcdctl. Default: the hosts of its members, with --client-port.',
  },
} as const satisfies Readonly<Record<string, Row<unknown>>>;

/** The only parameter without a value. */
export const MIXED = {
  flag: 'mixed',
  help: 'The cluster mixes nodes with --discovery (3.4, 3.5) and nodes with --discovery-token (3.6, 3.7). Set it for every node.',
} as const;

export type ParameterKey = keyof typeof PARAMETERS;

export const PARAMETER_KEYS = Object.keys(PARAMETERS) as readonly ParameterKey[];

/** The settings that were given. Each value is valid. */
export type NodeParameters = {
  readonly [Key in ParameterKey]?: ReturnType<(typeof PARAMETERS)[Key]['parse']> | undefined;
} & { readonly mixed?: boolean };

/** Parses one setting of a node. A string says what is wrong with it. */
export function parseParameter(
  key: ParameterKey,
  text: string,
): { readonly value: string | number } | { readonly problem: string } {
  const { takes, parse } = PARAMETERS[key];
  const value = parse(text);
  return value === undefined ? { problem: `must be ${takes.replaceAll('--', '')}` } : { value };
}

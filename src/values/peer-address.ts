/** A peer URL taken apart. */
export interface PeerAddress {
  /** As it was written. */
  readonly url: string;
  readonly scheme: 'http' | 'https';
  /** The same for every spelling of one host that is certain to be one. */
  readonly host: string;
  readonly port: number;
  readonly isLoopback: boolean;
  /** Host and port, the same for every spelling that is certain to be one. */
  readonly place: string;
  /** That of `infra1.example.com` as some call it, `infra1`. Undefined for addresses and for names that are short. */
  readonly shortPlace: string | undefined;
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost|.+\.localhost|localhost\.localdomain)$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/** Undefined for what is not an HTTP URL. */
export function peerAddressOf(url: string): PeerAddress | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const host = canonical(hostname);
  const isAddress = host.startsWith('[') || IPV4.test(host);
  const dot = isAddress ? -1 : host.indexOf('.');
  const scheme = protocol === 'http:' ? 'http' : 'https';
  const number = port === '' ? (scheme === 'http' ? 80 : 443) : Number(port);
  return {
    url,
    scheme,
    host,
    port: number,
    isLoopback: LOOPBACK.test(host),
    place: `${host}:${number}`,
    shortPlace: dot < 0 ? undefined : `${host.slice(0, dot)}:${number}`,
  };
}

/** Without the dot of a full name, an address of IPv4 that IPv6 maps as that of IPv4, and localhost as it resolves. */
function canonical(hostname: string): string {
  const host = hostname.replace(/\.$/, '');
  if (host === 'localhost' || host === 'localhost.localdomain') return '127.0.0.1';
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

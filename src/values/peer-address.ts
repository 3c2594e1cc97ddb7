import { plainPeerUrl } from './plain-peer-url.ts';

/** PeerAddress is a parsed peer URL. */
export interface PeerAddress {
  /** The URL as it was written. */
  readonly url: string;
  readonly scheme: 'http' | 'https';
  /** The canonical host: equal for all spellings that certainly mean the same host. */
  readonly host: string;
  readonly port: number;
  readonly isLoopback: boolean;
  /** Host and port: equal for all spellings that certainly mean the same address. */
  readonly place: string;
  /**
   * The place with the short host name, `infra1` for `infra1.example.com`. Undefined for IP addresses and
   * short names.
   */
  readonly shortPlace: string | undefined;
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost|.+\.localhost|localhost\.localdomain)$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/** Parses a peer URL. Undefined if it is not an HTTP URL. */
export function peerAddressOf(url: string): PeerAddress | undefined {
  const plain = plainPeerUrl(url);
  if (plain !== undefined) {
    const { scheme, host, port } = plain;
    const isLoopback = host.startsWith('127.');
    return { url, scheme, host, port, isLoopback, place: `${host}:${port}`, shortPlace: undefined };
  }
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

/**
 * Removes the trailing dot of a full name, and converts a mapped IPv4 address and localhost to the address
 * that they mean.
 */
function canonical(hostname: string): string {
  const host = hostname.replace(/\.$/, '');
  if (host === 'localhost' || host === 'localhost.localdomain') return '127.0.0.1';
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

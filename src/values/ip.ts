import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

declare const brand: unique symbol;

/**
 * Ip is an address in canonical form. An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) is stored as IPv4.
 */
export type Ip = string & { readonly [brand]: 'Ip' };

/**
 * Parses an address. Undefined if it is invalid. A zone (fe80::1%eth0) is dropped, because it only names the
 * interface.
 */
export function parseIp(text: string): Ip | undefined {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  // The common case first, because it is cheap.
  if (isIPv4(bare)) return bare as Ip;
  if (isIP(bare) === 0) return undefined;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '') as Ip;
}

/**
 * Returns a socket's address in the usual spelling, a mapped one as IPv4. Undefined if the socket is already
 * closed.
 */
export function shownAddress(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (parseIp(address) ?? address);
}

/**
 * Returns what counts as one client: an IPv4 address, or a /64 of IPv6, the smallest network that providers
 * assign.
 */
export function networkOf(ip: Ip): string {
  if (isIPv4(ip)) return ip;
  const [head = [], tail] = ip.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - (tail?.length ?? 0) }, () => '0');
  return `${[...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(':')}::/64`;
}

/**
 * Whether an address is one of the loopback addresses that programs use by default. Using another one is a
 * request to be told apart.
 */
export const isOwn = (ip: Ip): boolean => ip === '127.0.0.1' || ip === '::1';

/**
 * Parses addresses and CIDRs separated by commas, such as 10.0.0.0/8,2001:db8::/32,192.0.2.7. Undefined if
 * any is invalid.
 */
export function parseCidrs(text: string): BlockList | undefined {
  const list = new BlockList();
  for (const part of text.split(',')) {
    const [, address = '', digits] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(part.trim()) ?? [];
    const length = isIPv4(address) ? 32 : 128;
    const bits = Number(digits ?? length);
    if (isIP(address) === 0 || bits > length) return undefined;
    list.addSubnet(mapped(address), bits + 128 - length, 'ipv6');
  }
  return list;
}

/** Whether an address is in one of the networks. False without networks. */
export const covers = (networks: BlockList | undefined, ip: Ip): boolean =>
  networks?.check(mapped(ip), 'ipv6') === true;

/** Maps all addresses to IPv6, so that ::/0 includes the IPv4 addresses. */
const mapped = (address: string): string => (isIPv4(address) ? `::ffff:${address}` : address);

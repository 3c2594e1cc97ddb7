import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';

declare const brand: unique symbol;

/** An address in the one text that it has here. One of IPv4 that IPv6 maps (::ffff:a.b.c.d) is that of IPv4. */
export type Ip = string & { readonly [brand]: 'Ip' };

/** Undefined for what is no address. A zone (fe80::1%eth0) says only which way it came. */
export function parseIp(text: string): Ip | undefined {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  // The usual case, before what costs more.
  if (isIPv4(bare)) return bare as Ip;
  if (isIP(bare) === 0) return undefined;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '') as Ip;
}

/** The address of a socket as people write it: one of IPv4 as IPv4. Undefined when the socket was closed already. */
export function shownAddress(address: string | undefined): string | undefined {
  return address === undefined ? undefined : (parseIp(address) ?? address);
}

/** What counts as one client: an address of IPv4, a /64 of IPv6, which is the least that anybody is given. */
export function networkOf(ip: Ip): string {
  if (isIPv4(ip)) return ip;
  const [head = [], tail] = ip.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - (tail?.length ?? 0) }, () => '0');
  return `${[...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(':')}::/64`;
}

/** The addresses of loopback that programs have by themselves. Who takes another one wants to be told apart. */
export const isOwn = (ip: Ip): boolean => ip === '127.0.0.1' || ip === '::1';

/** Addresses and CIDRs with commas between them, like 10.0.0.0/8,2001:db8::/32,192.0.2.7; undefined if one is none. */
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

/** Whether an address is in one of some networks; with no networks it never is. */
export const covers = (networks: BlockList | undefined, ip: Ip): boolean =>
  networks?.check(mapped(ip), 'ipv6') === true;

/** All in one family, so that ::/0 has the addresses of IPv4 too. */
const mapped = (address: string): string => (isIPv4(address) ? `::ffff:${address}` : address);

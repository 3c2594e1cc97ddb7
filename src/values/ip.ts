import { isIP } from 'node:net';

/** An address as the eight 16-bit groups of IPv6; one of IPv4 as IPv6 maps it, ::ffff:a.b.c.d. */
export type Ip = readonly number[];

const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0xffff];

/** Undefined for what is no address. A zone (fe80::1%eth0) says only which way it came. */
export function parseIp(text: string): Ip | undefined {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  switch (isIP(bare)) {
    case 4:
      return [...MAPPED, ...groupsOfV4(bare)];
    case 6:
      return groupsOfV6(bare);
    default:
      return undefined;
  }
}

function groupsOfV4(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}

function groupsOfV6(text: string): number[] {
  const [head = [], tail] = text.split('::').map(groupsOfPart);
  if (tail === undefined) return head;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail];
}

function groupsOfPart(part: string): number[] {
  if (part === '') return [];
  return part
    .split(':')
    .flatMap((group) => (group.includes('.') ? groupsOfV4(group) : [parseInt(group, 16)]));
}

const isV4 = (ip: Ip): boolean => MAPPED.every((group, i) => ip[i] === group);

const dotted = ([, , , , , , high = 0, low = 0]: Ip): string =>
  [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** What counts as one client: an address of IPv4, a /64 of IPv6, which is the least that anybody is given. */
export function networkOf(ip: Ip): string {
  if (isV4(ip)) return dotted(ip);
  const network = ip.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** Without brackets and port, IPv4 with dots, IPv6 without shortenings of its own. */
export function formatIp(ip: Ip): string {
  return isV4(ip)
    ? dotted(ip)
    : new URL(`http://[${ip.map((group) => group.toString(16)).join(':')}]/`).hostname.slice(1, -1);
}

const OWN: readonly Cidr[] = parseCidrs('127.0.0.1,::1') ?? [];

/** The addresses of loopback that programs have by themselves. Who takes another one wants to be told apart. */
export const isOwn = (ip: Ip): boolean => covers(OWN, ip);

/** The addresses that share their first bits. */
export interface Cidr {
  readonly ip: Ip;
  /** How many bits they share, of 128. */
  readonly bits: number;
}

/** Addresses and CIDRs with commas between them, like 10.0.0.0/8,2001:db8::/32,192.0.2.7; undefined if one is none. */
export function parseCidrs(text: string): readonly Cidr[] | undefined {
  const all = text.split(',').map((part) => parseCidr(part.trim()));
  return all.every((cidr) => cidr !== undefined) ? all : undefined;
}

function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const length = address.includes(':') ? 128 : 32;
  const given = digits === undefined ? length : Number(digits);
  return given > length ? undefined : { ip, bits: given + 128 - length };
}

export function covers(cidrs: readonly Cidr[], ip: Ip): boolean {
  return cidrs.some((cidr) => shares(cidr, ip));
}

function shares({ ip, bits }: Cidr, other: Ip): boolean {
  const whole = bits >> 4;
  for (let i = 0; i < whole; i += 1) if (ip[i] !== other[i]) return false;
  const rest = 16 - (bits & 15);
  return rest === 16 || (ip[whole] ?? 0) >> rest === (other[whole] ?? 0) >> rest;
}

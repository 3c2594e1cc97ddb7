import { plainPeerUrl } from './plain-peer-url.ts';

/** Placeholders that people, templates and systemd leave where an address belongs. */
const PLACEHOLDER = /[${}<>`]/;

/** The unspecified address, in all of its spellings. */
const UNSPECIFIED = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]']);

const ADVERTISE = 'set --initial-advertise-peer-urls to the address at which the other nodes reach this node';

/**
 * Returns why no other node can ever reach a peer URL, and what to do, phrased to follow the URL. Undefined
 * if that is not certain.
 */
export function whyUnreachable(url: string): string | undefined {
  const plain = plainPeerUrl(url);
  if (plain !== undefined && !UNSPECIFIED.has(plain.host)) return undefined;
  const authority = /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (authority === undefined) return undefined;
  if (PLACEHOLDER.test(authority)) return `contains a placeholder that was not replaced; ${ADVERTISE}`;
  if (/^(?::\d*)?$/.test(authority)) return `has no host; ${ADVERTISE}`;
  if (!URL.canParse(url) || !UNSPECIFIED.has(new URL(url).hostname)) return undefined;
  return `is a listen address that other nodes cannot reach; ${ADVERTISE}`;
}

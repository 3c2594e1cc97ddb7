/** What people, templates and systemd write where an address is to be put in later. */
const PLACEHOLDER = /[${}<>`]/;

/** Every address of the machine itself, however it is written. */
const UNSPECIFIED = new Set(['0.0.0.0', '[::]', '[::ffff:0:0]']);

const ADVERTISE = '--initial-advertise-peer-urls takes the address at which the other nodes reach this one';

/**
 * Why no other node can ever reach a peer URL, and what to do, as the end of a sentence about it. Undefined where that
 * is not certain.
 */
export function whyUnreachable(url: string): string | undefined {
  const authority = /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (authority === undefined) return undefined;
  if (PLACEHOLDER.test(authority)) return `contains a placeholder that was not replaced; ${ADVERTISE}`;
  if (/^(?::\d*)?$/.test(authority)) return `has no host; ${ADVERTISE}`;
  if (!URL.canParse(url) || !UNSPECIFIED.has(new URL(url).hostname)) return undefined;
  return `is an address to listen on, which other nodes cannot reach; ${ADVERTISE}`;
}

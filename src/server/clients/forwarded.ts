import type { BlockList } from 'node:net';
import { REQUEST_LIMITS } from '../../limits.ts';
import { covers, type Ip, parseIp } from '../../values/ip.ts';

/** ForwardedHeaders are the headers in which proxies name the client. */
export interface ForwardedHeaders {
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
}

/**
 * Returns the client behind trusted proxies: the last hop that is not one of them. Everything in a header
 * except what trusted proxies appended may come from the client itself. Proxies extend one of the two headers
 * and pass the other on unchanged, so if they name different clients, neither is believed, and `peer`, the
 * proxy, is returned.
 */
export function clientBehind(peer: Ip, headers: ForwardedHeaders, trusted: BlockList | undefined): Ip {
  if (!covers(trusted, peer)) return peer;
  const { forwardedFor, forwarded } = headers;
  const byOld =
    forwardedFor === undefined ? undefined : walk(peer, hopsOfForwardedFor(forwardedFor), trusted);
  const byNew = forwarded === undefined ? undefined : walk(peer, hopsOfForwarded(forwarded), trusted);
  if (byOld === undefined || byNew === undefined) return byOld ?? byNew ?? peer;
  return byOld === byNew ? byOld : peer;
}

/** Walks from the last hop to the first. An invalid address ends the walk at the proxy that wrote it. */
function walk(peer: Ip, hops: readonly (Ip | undefined)[], trusted: BlockList | undefined): Ip {
  let client = peer;
  for (const hop of [...hops].reverse()) {
    if (hop === undefined) return client;
    client = hop;
    if (!covers(trusted, hop)) return client;
  }
  return client;
}

/**
 * Returns the last hops of X-Forwarded-For, which has addresses separated by commas. Undefined stands for an
 * invalid one.
 */
export function hopsOfForwardedFor(text: string): readonly (Ip | undefined)[] {
  return text
    .split(',')
    .slice(-REQUEST_LIMITS.forwardedHops)
    .map((part) => parseNode(part.trim()));
}

/**
 * Returns the last hops of Forwarded (RFC 7239): the `for` of each element. Undefined stands for one without
 * a valid address.
 */
export function hopsOfForwarded(text: string): readonly (Ip | undefined)[] {
  const elements = splitOutsideQuotes(text, ',')?.slice(-REQUEST_LIMITS.forwardedHops);
  // Otherwise a client could leave a quote open, and hide what the proxy appends inside its own element.
  if (elements === undefined) return [undefined];
  return elements.map((element) => {
    const pairs = splitOutsideQuotes(element, ';')?.map((pair) =>
      /^\s*for\s*=(.*)$/is.exec(pair)?.[1]?.trim(),
    );
    const values = pairs?.filter((value) => value !== undefined) ?? [];
    const [value = ''] = values;
    return values.length === 1 ? parseNode(unquote(value)) : undefined;
  });
}

/** Undefined if a quote is not closed. */
function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] | undefined {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    if (quoted && text[i] === '\\') i += 1;
    else if (text[i] === '"') quoted = !quoted;
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return quoted ? undefined : parts;
}

function unquote(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
}

/** Parses an address, with brackets for IPv6 and an optional port. */
function parseNode(text: string): Ip | undefined {
  const [, bracketed, v4] = /^(?:\[([^\]]*)\]|([0-9.]+))(?::[0-9A-Za-z._-]{1,32})?$/.exec(text) ?? [];
  return parseIp(bracketed ?? v4 ?? text);
}

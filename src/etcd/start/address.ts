/**
 * Parses an IP address for a node's URLs, also one to listen on. Returns it unchanged; undefined for other
 * texts.
 */
export function parseListenIp(text: string): string | undefined {
  const octets = text.split('.');
  if (octets.length === 4 && octets.every((each) => /^(0|[1-9]\d{0,2})$/.test(each) && Number(each) <= 255)) {
    return text;
  }
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return undefined;
  return URL.canParse(`http://[${text}]`) ? text : undefined;
}

/** Whether an address means all addresses of its machine: valid to listen on, but not to be reached at. */
export function isUnspecified(ip: string): boolean {
  if (!ip.includes(':')) return ip === '0.0.0.0';
  return /^\[::(?:ffff:0:0)?\]$/.test(new URL(`http://[${ip}]`).hostname);
}

/** Parses an IP address at which others can reach a node. Returns it unchanged; undefined for other texts. */
export function parseNodeIp(text: string): string | undefined {
  const ip = parseListenIp(text);
  return ip === undefined || isUnspecified(ip) ? undefined : ip;
}

// A DNS label, with the underscores that container names may have.
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const LONGEST_HOST = 253;

/**
 * Parses a DNS name or IP address at which others can reach a node. Returns it unchanged; undefined for other
 * texts.
 */
export function parseHost(text: string): string | undefined {
  const ip = parseNodeIp(text);
  if (ip !== undefined) return ip;
  const labels = text.split('.');
  // A misspelled address is not a name: the last label of a name is never a number.
  const isAddress = /^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
  const isName = text.length <= LONGEST_HOST && !isAddress && labels.every((label) => LABEL.test(label));
  return isName ? text : undefined;
}

/** Returns the canonical host and port of a URL, whatever its scheme. */
export function addressOf(url: string): string {
  const text = url.toLowerCase().replace(/^[a-z]+:\/\//, '');
  return text.startsWith('[') && URL.canParse(`http://${text}`)
    ? text.replace(/^\[.*\]/, (host) => new URL(`http://${host}`).hostname)
    : text;
}

/** An IP address that can stand in a node's URLs, as given, those to listen on included; undefined for other texts. */
export function parseListenIp(text: string): string | undefined {
  const octets = text.split('.');
  if (octets.length === 4 && octets.every((each) => /^(0|[1-9]\d{0,2})$/.test(each) && Number(each) <= 255)) {
    return text;
  }
  if (!/^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text)) return undefined;
  return URL.canParse(`http://[${text}]`) ? text : undefined;
}

/** Whether an address is every address of its machine: one to listen on, and never one to be reached at. */
export function isUnspecified(ip: string): boolean {
  if (!ip.includes(':')) return ip === '0.0.0.0';
  return /^\[::(?:ffff:0:0)?\]$/.test(new URL(`http://[${ip}]`).hostname);
}

/** An IP address at which others can reach a node, as given; undefined for other texts. */
export function parseNodeIp(text: string): string | undefined {
  const ip = parseListenIp(text);
  return ip === undefined || isUnspecified(ip) ? undefined : ip;
}

// As the Domain Name System has it, and underscores, which the names of containers may have.
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const LONGEST_HOST = 253;

/** A DNS name or an IP address at which others can reach a node, as given; undefined for other texts. */
export function parseHost(text: string): string | undefined {
  const ip = parseNodeIp(text);
  if (ip !== undefined) return ip;
  const labels = text.split('.');
  // An address with a mistake in it is not a name: the last label of a name is never a number.
  const isAddress = /^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
  const isName = text.length <= LONGEST_HOST && !isAddress && labels.every((label) => LABEL.test(label));
  return isName ? text : undefined;
}

/** What two spellings of a URL's host and port have in common, whatever the scheme. */
export function addressOf(url: string): string {
  const text = url.toLowerCase().replace(/^[a-z]+:\/\//, '');
  return text.startsWith('[') && URL.canParse(`http://${text}`)
    ? text.replace(/^\[.*\]/, (host) => new URL(`http://${host}`).hostname)
    : text;
}

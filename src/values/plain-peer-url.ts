/** PlainPeerUrl is a peer URL as nodes usually have it, http://10.0.0.1:2380. */
export interface PlainPeerUrl {
  readonly scheme: 'http' | 'https';
  /** Four numbers without leading zeros, so no other spelling is as short. */
  readonly host: string;
  readonly port: number;
}

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const PLAIN = new RegExp(`^(https?)://((?:${BYTE}\\.){3}${BYTE}):([1-9]\\d{0,4})$`);

/**
 * Returns the parts of a plain peer URL, and undefined for every other text. One match takes a fraction of the
 * time of Node's parser, which each registration would call several times.
 */
export function plainPeerUrl(text: string): PlainPeerUrl | undefined {
  const [, scheme, host = '', digits] = PLAIN.exec(text) ?? [];
  const port = Number(digits);
  if (scheme === undefined || port > 65_535) return undefined;
  return { scheme: scheme === 'https' ? 'https' : 'http', host, port };
}

import { CLUSTER_LIMITS } from '../limits.ts';
import { formatDuration } from '../values/duration.ts';
import { whyUnreachable } from '../values/peer-url.ts';
import { printable } from '../values/quote.ts';
import { DiscoveryError } from './errors.ts';
import type { Policy } from './policy.ts';
import type {
  ClusterSize,
  Description,
  DiscoveryText,
  MemberId,
  MemberName,
  PeerUrl,
  RequestId,
  Token,
  Ttl,
} from './types.ts';

const WORD = /^[A-Za-z0-9.~-][A-Za-z0-9._~-]*$/;
const WORD_RULE = 'letters, digits and . _ ~ -, and must not start with _';

/** First words of the service's own paths, now and planned: as tokens they could not be reached. */
const RESERVED = new Set(
  `new health healthz livez readyz metrics version robots.txt openapi.json favicon.ico v2 v3 v3alpha v3beta api assets
   static page index.html . ..`.split(/\s+/),
);

function invalid(field: string, message: string): DiscoveryError {
  return new DiscoveryError('INVALID_ARGUMENT', message, { field });
}

/**
 * Quotes outside text for a message: bounded, with nothing that could forge a log line, and in single quotes,
 * as etcd's own log escapes double ones.
 */
function quote(text: string): string {
  const short = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text).slice(1, -1);
  // JSON leaves some that are not fit to print.
  return `'${printable(short)}'`;
}

const STRANGERS: Readonly<Record<string, string>> = {
  ' ': 'a blank',
  '\t': 'a tab (\\t)',
  '\n': 'a line break (\\n)',
  '\r': 'a carriage return (\\r)',
  // Logs escape it.
  '"': 'a double quote',
  "'": 'a single quote',
};

/** The first character that no token has, and where: of the token itself, which may be a secret, nothing is shown. */
function strangerIn(token: string): string | undefined {
  const at = token.search(/[^A-Za-z0-9._~-]/);
  if (at < 0) return undefined;
  const found = token[at] ?? '';
  const shown = /[!-~]/.test(found) ? `a '${found}'` : `a character U+${hex(found)}`;
  const where =
    at === 0 ? 'at its beginning' : at === token.length - 1 ? 'at its end' : `at position ${at + 1}`;
  return `${STRANGERS[found] ?? shown} ${where}`;
}

const hex = (character: string): string =>
  character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');

/** A token as a caller names it. Whether it exists is the store's to say. */
export function parseToken(text: string): Token {
  if (text === '') throw invalid('token', 'no token was given; make one with CreateToken or GET /new?size=3');
  if (text.length > CLUSTER_LIMITS.tokenLength || !WORD.test(text)) {
    const rule = `a token has 1 to ${CLUSTER_LIMITS.tokenLength} ${WORD_RULE}`;
    const place = strangerIn(text);
    throw invalid('token', place === undefined ? rule : `${rule}; this one contains ${place}`);
  }
  return text as Token;
}

/** A token that a caller chooses for a new cluster. */
export function parseChosenToken(text: string, policy: Policy): Token {
  if (!policy.customTokens) {
    throw new DiscoveryError(
      'CUSTOM_TOKEN_REFUSED',
      'this service issues its own tokens only; leave the token out and use the one in the answer',
      { field: 'token' },
    );
  }
  const token = parseToken(text);
  // A dotted name with a capital, like discovery.v1.DiscoveryService, is the path of an RPC service.
  if (RESERVED.has(text) || /^[a-z0-9.]+\.[A-Z]\w*$/.test(text)) {
    throw invalid('token', `${quote(text)} is one of the service's own paths; choose another token`);
  }
  return token;
}

export function parseSize(size: number, policy: Policy): ClusterSize {
  if (!Number.isInteger(size) || size < 1 || size > policy.maxSize) {
    throw invalid('size', `the size of a cluster is 1 to ${policy.maxSize} members, not ${size}`);
  }
  return size as ClusterSize;
}

export function parseDescription(text: string): Description {
  if (text.length > CLUSTER_LIMITS.descriptionLength || hasControl(text)) {
    throw invalid(
      'description',
      `a description has at most ${CLUSTER_LIMITS.descriptionLength} characters and no control characters`,
    );
  }
  return text as Description;
}

export function parseDiscoveryText(text: string): DiscoveryText {
  if (text.length > CLUSTER_LIMITS.discoveryTextLength || hasControl(text)) {
    throw invalid(
      'discovery_text',
      `a discovery text has at most ${CLUSTER_LIMITS.discoveryTextLength} characters and no control characters`,
    );
  }
  return text as DiscoveryText;
}

export function parseRequestId(text: string): RequestId {
  const { requestIdLeastLength: least, requestIdLength: most } = CLUSTER_LIMITS;
  if (text.length < least || text.length > most || !/^[\w-]+$/.test(text)) {
    throw invalid(
      'request_id',
      `a request_id has ${least} to ${most} letters, digits and _ -, at least 128 bits of them random`,
    );
  }
  return text as RequestId;
}

/** A lifetime in ms; undefined takes the service's default. */
export function parseTtl(ms: number | undefined, policy: Policy): Ttl {
  if (ms === undefined) return policy.defaultTtl as Ttl;
  if (!(ms >= policy.minTtl && ms <= policy.maxTtl)) {
    throw invalid(
      'ttl',
      `a token lives ${formatDuration(policy.minTtl)} to ${formatDuration(policy.maxTtl)}, not ${formatDuration(Math.round(ms))}`,
    );
  }
  return Math.round(ms) as Ttl;
}

export function parseMemberId(text: string): MemberId {
  if (text.length > CLUSTER_LIMITS.memberIdLength || !WORD.test(text)) {
    throw invalid(
      'member_id',
      `a member id has 1 to ${CLUSTER_LIMITS.memberIdLength} ${WORD_RULE}; this is ${quote(text)}`,
    );
  }
  return text as MemberId;
}

export function parseMemberName(text: string): MemberName {
  if (text === '') throw invalid('name', 'the member has no name; start etcd with --name');
  // Comma and equals sign separate the parts of --initial-cluster.
  if (text.length > CLUSTER_LIMITS.nameLength || /[\s,=]/.test(text) || hasControl(text)) {
    throw invalid(
      'name',
      `a member's name has 1 to ${CLUSTER_LIMITS.nameLength} characters, none of them a comma, an equals sign or a space; this is ${quote(text)}`,
    );
  }
  return text as MemberName;
}

/** A member's peer URLs, in the order given and without repeats of the same address. */
export function parsePeerUrls(texts: readonly string[]): readonly PeerUrl[] {
  if (texts.length === 0) {
    throw invalid('peer_urls', 'the member has no peer URL; start etcd with --initial-advertise-peer-urls');
  }
  if (texts.length > CLUSTER_LIMITS.peerUrls) {
    throw invalid(
      'peer_urls',
      `a member has at most ${CLUSTER_LIMITS.peerUrls} peer URLs, not ${texts.length}`,
    );
  }
  const addresses = new Set<string>();
  for (const text of texts) {
    const address = peerAddress(checkPeerUrl(text));
    if (addresses.has(address)) throw invalid('peer_urls', `the peer URL ${quote(text)} is given twice`);
    addresses.add(address);
  }
  return texts as readonly PeerUrl[];
}

// etcd accepts a scheme, a host and a port, and nothing after them (client/pkg/types, NewURLs).
const PEER_URL = /^https?:\/\/([^/?#@\s,=:[\]]+|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/i;

function checkPeerUrl(text: string): PeerUrl {
  const problem = text.length > CLUSTER_LIMITS.peerUrlLength ? undefined : whyUnreachable(text);
  if (problem !== undefined) throw invalid('peer_urls', `the peer URL ${quote(text)} ${problem}`);
  const port = Number(PEER_URL.exec(text)?.[2] ?? 0);
  if (
    text.length > CLUSTER_LIMITS.peerUrlLength ||
    hasControl(text) ||
    port < 1 ||
    port > 65_535 ||
    !URL.canParse(text)
  ) {
    throw invalid(
      'peer_urls',
      `a peer URL is http://host:port or https://host:port with nothing after it; this is ${quote(text)}`,
    );
  }
  return text as PeerUrl;
}

/**
 * What two spellings of one peer URL have in common: schemes and host names know no case, and an address of IPv6 may
 * be written long or short.
 */
export function peerAddress(url: PeerUrl): string {
  const address = url.toLowerCase();
  if (!address.includes('[')) return address;
  return address.replace(/\[.*\]/, (host) => new URL(`http://${host}`).host);
}

/** Whether a text could forge a log line, turn its direction, or not be written as UTF-8. */
function hasControl(text: string): boolean {
  // Some languages, and some pictures, are not written without the joiners.
  return /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/u.test(text);
}

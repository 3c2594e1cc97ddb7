import { CLUSTER_LIMITS } from '../limits.ts';
import { formatDuration } from '../values/duration.ts';
import { whyUnreachable } from '../values/peer-url.ts';
import { plainPeerUrl } from '../values/plain-peer-url.ts';
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
const WORD_RULE = 'letters, digits or . _ ~ -, and must not start with _';

/**
 * First path segments that the service uses or plans to use: tokens with these names would be unreachable.
 */
const RESERVED = new Set(
  `new health healthz livez readyz metrics version robots.txt openapi.json favicon.ico v2 v3 v3alpha v3beta api assets
   static page index.html . ..`.split(/\s+/),
);

function invalid(field: string, message: string): DiscoveryError {
  return new DiscoveryError('INVALID_ARGUMENT', message, { field });
}

/**
 * Quotes external text for a message: bounded, without characters that could forge a log line, and in single
 * quotes because etcd's own log escapes double quotes.
 */
function quote(text: string): string {
  const short = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text).slice(1, -1);
  // JSON leaves some unprintable characters unescaped.
  return `'${printable(short)}'`;
}

const STRANGERS: Readonly<Record<string, string>> = {
  ' ': 'a space',
  '\t': 'a tab (\\t)',
  '\n': 'a line break (\\n)',
  '\r': 'a carriage return (\\r)',
  // Named here because logs escape it.
  '"': 'a double quote',
  "'": 'a single quote',
};

/**
 * Returns the first character that a token cannot have, and its position. It shows no more of the token,
 * which may be a secret.
 */
function strangerIn(token: string): string | undefined {
  const at = token.search(/[^A-Za-z0-9._~-]/);
  if (at < 0) return undefined;
  const found = token[at] ?? '';
  const shown = /[!-~]/.test(found) ? `a '${found}'` : `a character U+${hex(found)}`;
  const where =
    at === 0 ? 'at the beginning' : at === token.length - 1 ? 'at the end' : `at position ${at + 1}`;
  return `${STRANGERS[found] ?? shown} ${where}`;
}

function faultOf(token: string): string {
  const stranger = strangerIn(token);
  if (stranger !== undefined) return `contains ${stranger}`;
  return token.startsWith('_') ? 'starts with _' : `has ${token.length} characters`;
}

const hex = (character: string): string =>
  character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');

/** Parses a token named by a caller. Whether it exists is for the store to say. */
export function parseToken(text: string): Token {
  if (text === '')
    throw invalid('token', 'the token is missing; create one with CreateToken or GET /new?size=3');
  if (text.length > CLUSTER_LIMITS.tokenLength || !WORD.test(text)) {
    const rule = `a token must have 1 to ${CLUSTER_LIMITS.tokenLength} ${WORD_RULE}`;
    throw invalid('token', `${rule}; this one ${faultOf(text)}`);
  }
  return text as Token;
}

/** Parses a token chosen by the caller for a new cluster. */
export function parseChosenToken(text: string, policy: Policy): Token {
  if (!policy.customTokens) {
    throw new DiscoveryError(
      'CUSTOM_TOKEN_REFUSED',
      'this service does not accept custom tokens; omit the token and use the one in the response',
      { field: 'token' },
    );
  }
  const token = parseToken(text);
  // A dotted name with a capital letter, such as discovery.v1.DiscoveryService, is the path of an RPC
  // service.
  if (RESERVED.has(text) || /^[a-z0-9.]+\.[A-Z]\w*$/.test(text)) {
    throw invalid('token', `${quote(text)} is one of the service's own paths; choose another token`);
  }
  return token;
}

export function parseSize(size: number, policy: Policy): ClusterSize {
  if (!Number.isInteger(size) || size < 1 || size > policy.maxSize) {
    throw invalid('size', `the cluster size must be 1 to ${policy.maxSize} members, not ${size}`);
  }
  return size as ClusterSize;
}

export function parseDescription(text: string): Description {
  if (text.length > CLUSTER_LIMITS.descriptionLength || hasControl(text)) {
    throw invalid(
      'description',
      `a description must have at most ${CLUSTER_LIMITS.descriptionLength} characters and no control characters`,
    );
  }
  return text as Description;
}

export function parseDiscoveryText(text: string): DiscoveryText {
  if (text.length > CLUSTER_LIMITS.discoveryTextLength || hasControl(text)) {
    throw invalid(
      'discovery_text',
      `a discovery text must have at most ${CLUSTER_LIMITS.discoveryTextLength} characters and no control characters`,
    );
  }
  return text as DiscoveryText;
}

export function parseRequestId(text: string): RequestId {
  const { requestIdLeastLength: least, requestIdLength: most } = CLUSTER_LIMITS;
  if (text.length < least || text.length > most || !/^[\w-]+$/.test(text)) {
    throw invalid(
      'request_id',
      `a request_id must have ${least} to ${most} letters, digits, _ or -, with at least 128 random bits`,
    );
  }
  return text as RequestId;
}

/** Parses a lifetime in ms. Undefined takes the service's default. */
export function parseTtl(ms: number | undefined, policy: Policy): Ttl {
  if (ms === undefined) return policy.defaultTtl as Ttl;
  if (!(ms >= policy.minTtl && ms <= policy.maxTtl)) {
    throw invalid(
      'ttl',
      `a token's lifetime must be ${formatDuration(policy.minTtl)} to ${formatDuration(policy.maxTtl)}, not ${formatDuration(Math.round(ms))}`,
    );
  }
  return Math.round(ms) as Ttl;
}

export function parseMemberId(text: string): MemberId {
  if (text === '') throw invalid('member_id', 'the member id is missing');
  if (text.length > CLUSTER_LIMITS.memberIdLength || !WORD.test(text)) {
    throw invalid(
      'member_id',
      `the member id ${quote(text)} is not valid; it must have 1 to ${CLUSTER_LIMITS.memberIdLength} ${WORD_RULE}`,
    );
  }
  return text as MemberId;
}

export function parseMemberName(text: string): MemberName {
  if (text === '') throw invalid('name', 'the member has no name; start etcd with --name');
  // Commas and equals signs separate the parts of --initial-cluster.
  if (text.length > CLUSTER_LIMITS.nameLength || /[\s,=]/.test(text) || hasControl(text)) {
    throw invalid(
      'name',
      `the member name ${quote(text)} is not valid; it must have at most ${CLUSTER_LIMITS.nameLength} characters, without commas, equals signs or spaces`,
    );
  }
  return text as MemberName;
}

/** Parses a member's peer URLs. Keeps their order and drops repetitions of an address. */
export function parsePeerUrls(texts: readonly string[]): readonly PeerUrl[] {
  if (texts.length === 0) {
    throw invalid('peer_urls', 'the member has no peer URL; start etcd with --initial-advertise-peer-urls');
  }
  if (texts.length > CLUSTER_LIMITS.peerUrls) {
    throw invalid(
      'peer_urls',
      `a member can have at most ${CLUSTER_LIMITS.peerUrls} peer URLs, not ${texts.length}`,
    );
  }
  const addresses = new Set<string>();
  for (const text of texts) {
    const address = peerAddress(checkPeerUrl(text));
    if (addresses.has(address)) throw invalid('peer_urls', `the peer URL ${quote(text)} appears twice`);
    addresses.add(address);
  }
  return texts as readonly PeerUrl[];
}

// etcd accepts a scheme, a host and a port, and nothing after them (client/pkg/types, NewURLs).
const PEER_URL = /^https?:\/\/([^/?#@\s,=:[\]]+|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/i;

function checkPeerUrl(text: string): PeerUrl {
  const problem = text.length > CLUSTER_LIMITS.peerUrlLength ? undefined : whyUnreachable(text);
  if (problem !== undefined) throw invalid('peer_urls', `the peer URL ${quote(text)} ${problem}`);
  if (plainPeerUrl(text) !== undefined) return text as PeerUrl;
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
      `the peer URL ${quote(text)} is not valid; use http://host:port or https://host:port, with nothing after the port`,
    );
  }
  return text as PeerUrl;
}

/**
 * Returns the canonical form of a peer URL: schemes and host names are case-insensitive, and an IPv6 address
 * can be written in several ways.
 */
export function peerAddress(url: PeerUrl): string {
  const address = url.toLowerCase();
  if (!address.includes('[')) return address;
  return address.replace(/\[.*\]/, (host) => new URL(`http://${host}`).host);
}

/** Whether a text could forge a log line, change its direction, or not be encoded as UTF-8. */
function hasControl(text: string): boolean {
  // Some languages and emoji require the joiners.
  return /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/u.test(text);
}

import { hash, randomBytes } from 'node:crypto';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { pathOf } from '../route.ts';
import { isRpc } from '../rpc/methods.ts';

/** Different in each process, so that labels cannot be used to test guesses of tokens. */
const KEY = randomBytes(16).toString('hex');

const SERVICE = DiscoveryService.typeName;

/** Path segments that no token can equal. */
const NEVER_TOKENS = new Set(
  `new health livez readyz robots.txt openapi.json metrics version favicon.ico v2 _page _start _clusters _etcd _config ${SERVICE}`.split(
    ' ',
  ),
);

/** Path segments that could also be tokens, unless they follow the given one. */
const AFTER = new Map([
  ['keys', 'v2'],
  ['registry', '_etcd'],
  ['discovery', 'keys'],
  ['size', '_config'],
]);

/** More segments than any of our paths has. */
const PARTS_SHOWN = 8;

/**
 * Returns a label of a token for logs: enough to tell tokens apart and to find one by its start, not enough
 * to use it. For example `6c5d...a41f09`: at most a quarter of the token, and a hash keyed for this process.
 */
export function tokenLabel(token: string): string {
  // The rest is not part of the token, and mostly a secret.
  const name = /^[\w.~-]*/.exec(token)?.[0] ?? '';
  const start = name.slice(0, Math.min(4, Math.floor(name.length / 4)));
  return `${start}...${hash('sha256', KEY + token).slice(0, 6)}`;
}

/**
 * Returns the path of a request target with every segment that may be a token replaced by its label. The
 * query is dropped, because `?message=` of a Connect GET contains tokens as well.
 */
export function redactPath(target: string): string {
  const path = pathOf(target);
  // The paths of calls contain no token.
  if (isRpc(path)) return path;
  const parts = path.split('/');
  const shown = parts.slice(0, PARTS_SHOWN).map((part, i) => {
    if (part === '' || NEVER_TOKENS.has(part)) return part;
    return i > 0 && AFTER.get(part) === parts[i - 1] ? part : tokenLabel(decoded(part));
  });
  return shown.join('/') + (parts.length > PARTS_SHOWN ? '/...' : '');
}

function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

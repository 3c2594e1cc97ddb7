import { createHash, randomBytes } from 'node:crypto';

/** Of this process only: a label must not be a way to test guesses at a token. */
const KEY = randomBytes(16);

/** Parts of paths that are the service's own words. All other parts may be tokens. */
const OWN_WORDS = new Set(
  `new health robots.txt metrics version favicon.ico v2 keys _etcd registry _config size members
   discovery.v1.DiscoveryService CreateToken GetCluster Register ListMembers WatchMembers Deregister
   DeleteToken`.split(/\s+/),
);

/** More parts than any path of ours has. */
const PARTS_SHOWN = 8;

/**
 * A token as a log may show it: enough to tell tokens apart and to find one by its beginning, too little to
 * use it. Like `6c5d...a41f09`: at most a quarter of it, and a hash that is keyed for this process.
 */
export function tokenLabel(token: string): string {
  const start = /^[\w.~-]*/.exec(token.slice(0, Math.min(4, Math.floor(token.length / 4))))?.[0] ?? '';
  const hash = createHash('sha256').update(KEY).update(token).digest('hex');
  return `${start}...${hash.slice(0, 6)}`;
}

/**
 * The path of a request target with every part that may be a token as its label. The query is left out:
 * `?message=` of a Connect GET holds tokens as well.
 */
export function redactPath(target: string): string {
  const [path = ''] = target.split(/[?#]/, 1);
  const parts = path.split('/');
  const shown = parts.slice(0, PARTS_SHOWN).map((part) => {
    if (part === '' || OWN_WORDS.has(part)) return part;
    return tokenLabel(decoded(part));
  });
  return shown.join('/') + (parts.length > PARTS_SHOWN ? '/...' : '');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

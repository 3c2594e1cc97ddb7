import { prefersHtml } from '../page/accept.ts';

/** Who answers a request. `v2` is also the answer for whatever nobody else knows. */
export type Surface = 'rpc' | 'home' | 'live' | 'health' | 'robots' | 'metrics' | 'page' | 'v2';

const OWN: Readonly<Record<string, Surface>> = {
  '/': 'home',
  '/health': 'health',
  '/readyz': 'health',
  '/livez': 'live',
  '/robots.txt': 'robots',
  '/metrics': 'metrics',
};

/** /package.Service/Method: what RPC clients call. No token has this form. */
const RPC = /^\/[a-z0-9.]+\.[A-Z]\w*\//;

/** The surface by the target of a request, as it stands in the request line, and what its client accepts. */
export function surfaceOf(target: string, method = 'GET', accept?: string): Surface {
  const path = pathOf(target);
  // Tokens have no dot, most of them: the pattern would try every end of the word.
  if (path.includes('.') && RPC.test(path)) return 'rpc';
  const own = Object.hasOwn(OWN, path) ? OWN[path] : undefined;
  if (own !== undefined) return own === 'home' && wantsPage(method, accept, 'text/plain') ? 'page' : own;
  if (path.startsWith('/_page/')) return 'page';
  return wantsPage(method, accept, 'application/json') && isTokenTarget(target) ? 'page' : 'v2';
}

function wantsPage(method: string, accept: string | undefined, other: string): boolean {
  return (method === 'GET' || method === 'HEAD') && prefersHtml(accept, other);
}

/** Paths of one part that are no token's. */
const NO_TOKENS = new Set(['new', 'version', 'v2', 'favicon.ico']);

/** Whether the target is the URL of a token, and nothing below it. With a query it is a program's. */
function isTokenTarget(target: string): boolean {
  const [, name] = /^\/([^/?#%]+)\/?$/.exec(target) ?? [];
  return name !== undefined && !NO_TOKENS.has(name);
}

export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

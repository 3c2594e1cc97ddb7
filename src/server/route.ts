/** Who answers a request. `v2` is also the answer for whatever nobody else knows. */
export type Surface = 'rpc' | 'home' | 'live' | 'health' | 'robots' | 'metrics' | 'v2';

const OWN: Readonly<Record<string, Surface>> = {
  '/': 'home',
  '/health': 'health',
  '/readyz': 'health',
  '/livez': 'live',
  '/robots.txt': 'robots',
  '/metrics': 'metrics',
};

/** /package.Service/Method: what RPC clients call. No token has this form. */
const RPC = /^\/[a-z0-9_.]+\.[A-Z]\w*\//;

/** The surface by the target of a request, as it stands in the request line. */
export function surfaceOf(target: string): Surface {
  const path = pathOf(target);
  if (RPC.test(path)) return 'rpc';
  return Object.hasOwn(OWN, path) ? (OWN[path] ?? 'v2') : 'v2';
}

export function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

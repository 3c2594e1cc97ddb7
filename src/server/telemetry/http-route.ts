import type { Route } from '../route.ts';

/** The path of the tokens' keys, if not at the root. */
const KEYS = /^\/v2\/keys\/(?:_etcd\/registry|discovery)(?=\/|$)/;

/**
 * Returns the route of a request for OpenTelemetry's `http.route`: one of few, without any text from the
 * client. Undefined for an RPC, whose method says more, and for an unknown path.
 */
export function httpRoute({ surface, path }: Pick<Route, 'surface' | 'path'>): string | undefined {
  switch (surface) {
    case 'rpc':
      return undefined;
    case 'page':
      return pageRoute(path);
    case 'start':
      return '/_start/{token}';
    case 'v2':
      return v2Route(path);
    default:
      return path;
  }
}

function pageRoute(path: string): string {
  if (path === '/' || path === '/_page/new' || path === '/_clusters') return path;
  return path.startsWith('/_page/') ? '/_page/{file}' : '/{token}';
}

function v2Route(path: string): string | undefined {
  if (path === '/new' || path === '/version') return path;
  const [base = ''] = KEYS.exec(path) ?? [];
  const parts = path
    .slice(base.length)
    .split('/')
    .filter((part) => part !== '');
  const [token, second, third] = parts;
  if (token === undefined || token === 'v2' || parts.length > 3) return undefined;
  if (second === undefined) return `${base}/{token}`;
  if (third !== undefined)
    return second === '_config' && third === 'size' ? `${base}/{token}/_config/size` : undefined;
  return second === '_config' ? `${base}/{token}/_config` : `${base}/{token}/{id}`;
}

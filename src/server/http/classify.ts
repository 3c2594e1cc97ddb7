import { BOOT_PATH } from '../../boot/target.ts';
import { isLastChance } from '../../etcdv2/last-chance.ts';
import { asksToWait } from '../../etcdv2/params.ts';
import { V3_WATCH } from '../../etcdv3/gateway.ts';
import { prefersHtml } from '../../page/accept.ts';
import type { PortRequest } from '../../port/port.ts';
import { type Kind, pathOf, type Route, type Surface } from '../route.ts';
import { isStream, RPC_PATHS } from '../rpc/methods.ts';

const OWN: Readonly<Record<string, Surface>> = {
  '/': 'home',
  '/health': 'health',
  '/readyz': 'health',
  '/livez': 'live',
  '/robots.txt': 'robots',
  '/openapi.json': 'openapi',
  '/metrics': 'metrics',
};

/** /package.Service/Method: the path of RPCs. No token has this form. */
const RPC = /^\/[a-z0-9.]+\.[A-Z]\w*\//;

const PROBED: ReadonlySet<Surface> = new Set(['health', 'live', 'metrics']);

const HEALTH = '/grpc.health.v1.Health/';
const HEALTH_PROBES: ReadonlySet<string> = new Set([`${HEALTH}Check`, `${HEALTH}List`]);

const SLASHES = /^\/{2,}(?=[a-z0-9.]+\.[A-Z]\w*\/)/;

/** Removes the extra slash that a base URL with a trailing slash puts before the path of an RPC. */
export function withoutSlashes(url: string): string {
  return url.replace(SLASHES, '/');
}

/** Removes the path of the service's public URL, which a proxy may leave in the target of a request. */
export function withoutBase(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest.startsWith('/')) return rest;
  // Redirects to the path with a slash, which the relative URLs of the page need.
  return rest === '' || rest.startsWith('?') ? `//${rest}` : url;
}

type Head = Pick<PortRequest, 'method' | 'url' | 'headers'>;

/** Classifies a request by its head alone, with as little parsing as possible. */
export function classify(head: Head): Route {
  return RPCS.get(head.url ?? '') ?? classifyAny(head);
}

function classifyAny({ method = 'GET', url = '', headers: { accept } }: Head): Route {
  const path = pathOf(url);
  const surface = surfaceOf(url, method, accept, path);
  const kind = kindOf(surface, url, path);
  const isProbe = PROBED.has(surface) || HEALTH_PROBES.has(path);
  const mayBeLast = surface === 'v2' && (kind === 'wait' || method === 'PUT');
  return {
    surface,
    kind,
    path,
    isProbe,
    isQuiet: isProbe || path.startsWith(HEALTH),
    isLastChance: path === V3_WATCH || (mayBeLast && isLastChance(method, url)),
  };
}

function kindOf(surface: Surface, target: string, path: string): Kind {
  if (surface === 'rpc') return isStream(path) ? 'wait' : 'call';
  return surface === 'v2' && asksToWait(target) ? 'wait' : 'call';
}

/**
 * Returns the surface of a request by its target, as in the request line, and the media types that its client
 * accepts.
 */
export function surfaceOf(target: string, method = 'GET', accept?: string, path = pathOf(target)): Surface {
  // Most tokens have no dot; the pattern would try every position of a long word.
  if (path.includes('.') && RPC.test(path)) return 'rpc';
  const own = Object.hasOwn(OWN, path) ? OWN[path] : undefined;
  if (own !== undefined) return own === 'home' && wantsPage(method, accept, 'text/plain') ? 'page' : own;
  if (path.startsWith('/_page/') || CLUSTERS.test(path)) return 'page';
  if (path.startsWith(BOOT_PATH)) return 'start';
  return wantsPage(method, accept, 'application/json') && isTokenTarget(target) ? 'page' : 'v2';
}

function wantsPage(method: string, accept: string | undefined, other: string): boolean {
  return (method === 'GET' || method === 'HEAD') && prefersHtml(accept, other);
}

/** The operators' page. */
const CLUSTERS = /^\/_clusters\/?$/;

/** Paths of one segment that are not tokens. */
const NO_TOKENS = new Set(['new', 'version', 'v2', 'favicon.ico']);

/** Whether the target is exactly the URL of a token. With a query it comes from a program. */
function isTokenTarget(target: string): boolean {
  const [, name] = /^\/([^/?#%]+)\/?$/.exec(target) ?? [];
  return name !== undefined && !NO_TOKENS.has(name);
}

/** The routes of RPCs, for which the path alone decides. */
const RPCS: ReadonlyMap<string, Route> = new Map(
  Array.from(RPC_PATHS, (url) => [url, classifyAny({ url, headers: {} })]),
);

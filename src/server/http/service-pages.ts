import type { ConnectError } from '@connectrpc/connect';
import { findingFlags } from '../../etcd/start/settings.ts';
import type { ErrorPage } from '../../page/error-page.ts';
import type { PortRequest, PortResponse, RequestHead } from '../../port/port.ts';
import type { Surface } from '../route.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ServicePages {
  /** Returns undefined if requests can be served, otherwise the cause. */
  readonly notReady: () => Promise<string | undefined>;
  /** Returns a problem despite which requests are served, or undefined. */
  readonly warning: () => string | undefined;
  /** Undefined if they are served on another address. */
  readonly metrics: Metrics | undefined;
  readonly version: string;
  /** Returns the URL by which the client can reach the service. */
  readonly urlFor: (request: RequestHead) => string;
  /** Returns the OpenAPI document of the service at that URL. Undefined if this build has none. */
  readonly openapi: (url: string) => string | undefined;
  readonly errorPage: ErrorPage;
}

interface Page {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  /** Readable by pages of every origin, not only the service's own. */
  readonly anyOrigin?: true;
}

/** Serves the pages about the service rather than a cluster. With a refusal it answers that. */
export async function servePage(
  surface: Exclude<Surface, 'rpc' | 'v2' | 'page' | 'start'>,
  pages: ServicePages,
  request: PortRequest,
  response: PortResponse,
  refusal?: ConnectError,
): Promise<void> {
  const readable = request.method === 'GET' || request.method === 'HEAD';
  const page: Page = refusal
    ? { status: 429, body: `${refusal.rawMessage}\n` }
    : readable
      ? await PAGES[surface](pages, request)
      : { status: 405, body: `Method ${request.method} is not allowed: use GET.\n` };
  const { status, body } = page;
  const html =
    status < 400 ? undefined : pages.errorPage(request, { status, text: body.trim(), type: 'text/plain' });
  if (refusal) response.setHeader('Retry-After', refusal.metadata.get('Retry-After') ?? '5');
  response.statusCode = status;
  response.setHeader('Content-Type', page.type ?? 'text/plain; charset=utf-8');
  for (const [name, value] of Object.entries(html?.headers ?? {})) response.setHeader(name, value);
  if (page.anyOrigin) response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Content-Length', Buffer.byteLength(html?.body ?? body));
  // Browsers get a web page there.
  if (surface === 'home') response.setHeader('Vary', 'Accept');
  if (status === 405) response.setHeader('Allow', 'GET, HEAD');
  if (status === 503) response.setHeader('Retry-After', '5');
  response.end(html?.body ?? body);
}

const PAGES = {
  home: async (pages, request) => ({ status: 200, body: welcome(pages.version, pages.urlFor(request)) }),
  // Does not access the store: restarting a service that waits for its store does not help.
  live: async () => ({ status: 200, body: 'OK' }),
  // Without a newline, because health checks of the old service compare with exactly this text.
  health: async (pages) => {
    const why = await pages.notReady();
    if (why !== undefined) return { status: 503, body: `not ready: ${why}\n` };
    const warning = pages.warning();
    return { status: 200, body: warning === undefined ? 'OK' : `OK, but ${warning}\n` };
  },
  robots: async () => ({ status: 200, body: 'User-agent: *\nDisallow: /\n' }),
  openapi: async (pages, request) => {
    const body = pages.openapi(pages.urlFor(request));
    return body === undefined
      ? {
          status: 404,
          body: 'This build has no gen/openapi.json; create it with node src/dev/bundle-program.mjs.\n',
        }
      : { status: 200, body, type: 'application/json', anyOrigin: true };
  },
  metrics: async ({ metrics }) =>
    metrics === undefined
      ? { status: 404, body: 'Metrics are served on the address of --metrics-addr.\n' }
      : { status: 200, body: await metrics.text(), type: metrics.contentType },
} satisfies Record<string, (pages: ServicePages, request: PortRequest) => Promise<Page>>;

function welcome(version: string, url: string): string {
  return `etcd-discovery ${version}: lets the nodes of a new etcd cluster find each other.

Create a token for a cluster of three nodes:

    curl '${url}/new?size=3'

The response is a URL. Start each node with it. With etcd 3.4, 3.5 and 3.6:

    etcd --name infra1 --discovery ${url}/<token> ...

With etcd 3.6 and 3.7:

    etcd --name infra1 ${findingFlags({ etcd: '3.7', serviceUrl: url, token: '<token>' }).join(' ')} ...

Complete settings for a node, for a boot script that runs at every start:

    curl '${url}/_start/<token>?etcd=3.7&name=NAME&ip=ADDRESS&format=env'

API for programs, over Connect, gRPC or gRPC-Web:

    curl -H 'Content-Type: application/json' -d '{"size": 3}' \\
      ${url}/discovery.v1.DiscoveryService/CreateToken

The API as an OpenAPI document: ${url}/openapi.json
`;
}

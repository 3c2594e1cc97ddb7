import type { DiscoveryClient } from '../client/discovery-client.ts';
import { ASSET_FOLDER, readAssets } from './assets.ts';
import { type Context, MAKE, type PageOptions } from './context.ts';
import { home, make } from './home-page.ts';
import {
  file,
  type PageRequest,
  type PageResponse,
  plain,
  type Reply,
  secretDocument,
  seeOther,
  send,
} from './reply.ts';
import { showToken } from './token-page.ts';
import { documentHtml } from './view/document.ts';
import { EMPTY_DRAFT } from './view/home.ts';
import { h } from './view/node.ts';
import { refusedMain } from './view/refused.ts';

/**
 * Serves the web page: `/` makes a token, `/{token}` shows its cluster, and its files are below `/_page/`. Every
 * URL in it is relative, so that it works below a path of a proxy. Answers every request that it is given.
 */
export function pageHandler(
  clientOf: (request: PageRequest) => DiscoveryClient,
  options: PageOptions,
): (request: PageRequest, response: PageResponse) => Promise<void> {
  const context: Context = { clientOf, options, assets: readAssets() };
  return async (request, response) => {
    let reply: Reply;
    try {
      // The Host of a request is whatever its client says.
      reply = URL.canParse(options.urlFor(request))
        ? await answer(context, request)
        : plain(400, 'the Host of the request is none; use the address of the service');
    } catch (defect) {
      // Nobody waits for the answer to a form that was not sent whole.
      if (!request.complete && request.method === 'POST') {
        request.destroy();
        return;
      }
      options.onDefect(defect);
      reply = failed(context);
    }
    send(request, response, reply);
  };
}

async function answer(context: Context, request: PageRequest): Promise<Reply> {
  const { method = '', url = '' } = request;
  const path = url.replace(/[?#].*$/s, '');
  const reading = method === 'GET' || method === 'HEAD';
  if (path === MAKE) {
    if (method === 'POST') return make(context, request);
    // What a reload of a refused form's address asks for.
    return reading ? seeOther('../') : notAllowed(method, 'GET, HEAD, POST');
  }
  if (!reading) return notAllowed(method, 'GET, HEAD');
  if (path === '/') return home(context, request, EMPTY_DRAFT);
  if (path.startsWith(`/${ASSET_FOLDER}`))
    return asset(context, request, path.slice(ASSET_FOLDER.length + 1));
  return tokenPage(context, request, path);
}

function notAllowed(method: string, allow: string): Reply {
  return plain(405, `${method} is not allowed here: use ${allow}.`, { Allow: allow });
}

async function asset({ assets }: Context, { headers }: PageRequest, name: string): Promise<Reply> {
  const found = assets.files.get(name);
  if (found === undefined)
    return plain(404, 'no such file of the page: load the page again, it may be newer');
  const zipped = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(
    headers['accept-encoding']?.toString() ?? '',
  );
  return zipped ? file(found.type, await found.gzip(), 'gzip') : file(found.type, found.bytes, undefined);
}

async function tokenPage(context: Context, request: PageRequest, path: string): Promise<Reply> {
  const { clientOf, options, assets } = context;
  // Below it, every relative URL would be another one.
  if (path.endsWith('/')) return seeOther(`..${path.slice(0, -1)}`);
  const token = path.slice(1);
  const serviceUrl = options.urlFor(request);
  const { status, title, main, footer, live } = await showToken(clientOf(request), token, serviceUrl);
  const { script, ...still } = assets.urls;
  const html = documentHtml({
    title,
    assets: live ? { script, ...still } : still,
    home: './',
    main,
    footer,
  });
  return secretDocument(status, html);
}

function failed({ assets }: Context): Reply {
  const { script: _, ...still } = assets.urls;
  const title = 'The service failed';
  const main = refusedMain(
    title,
    'This is a defect of the service, and its log says why.',
    'Please report it.',
    {
      href: '',
      text: 'Load again',
    },
  );
  const footer = h('footer');
  return secretDocument(500, documentHtml({ title, assets: still, home: './', main, footer }));
}

import type { ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { NO_WORK, sendingUnits } from '../work.ts';
import { ASSET_FOLDER, readAssets } from './assets.ts';
import { type Context, MAKE, type PageOptions } from './context.ts';
import { below, home, make } from './home-page.ts';
import { pageRefusalOf, rowOf, sayWhen } from './refusals.ts';
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
import { SharedPages } from './shared-pages.ts';
import { showToken } from './token-page.ts';
import { documentHtml } from './view/document.ts';
import { EMPTY_DRAFT } from './view/home.ts';
import { h, type VElement } from './view/node.ts';
import { refusedMain, sentence } from './view/refused.ts';

/**
 * Serves the web page: `/` makes a token, `/{token}` shows its cluster, and its files are below `/_page/`. Every
 * URL in it is relative, so that it works below a path of a proxy. Answers every request that it is given; with a
 * refusal it answers that.
 */
export function pageHandler(
  clientOf: (request: PageRequest) => DiscoveryClient,
  options: PageOptions,
): (request: PageRequest, response: PageResponse, refusal?: ConnectError) => Promise<void> {
  const context: Context = { clientOf, options, assets: readAssets(), pages: new SharedPages() };
  return async (request, response, refusal) => {
    if (refusal !== undefined) return send(request, response, turnedAway(context, request, refusal));
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
      reply = failed(context, request);
    }
    send(request, response, reply);
  };
}

async function answer(context: Context, request: PageRequest): Promise<Reply> {
  const { method = '', url = '' } = request;
  const path = pathOf(url);
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
  const { clientOf, options, assets, pages } = context;
  // Below it, every relative URL would be another one.
  if (path.endsWith('/')) return seeOther(`..${path.slice(0, -1)}`);
  const token = path.slice(1);
  const serviceUrl = options.urlFor(request);
  // Whole seconds, so that who asks in the same one is shown the same.
  const now = Math.floor(Date.now() / 1000) * 1000;
  const { status, title, draw, view, live } = await showToken(clientOf(request), token, serviceUrl, now);
  const { script, ...still } = assets.urls;
  const drawAll = (comers?: readonly VElement[]): string =>
    documentHtml({ title, assets: live ? { script, ...still } : still, home: './', ...draw(comers) });
  const work = options.workOf?.(request) ?? NO_WORK;
  const html = await pages.html({ view, now }, { token, serviceUrl }, drawAll, work);
  work.owe(sendingUnits(html.length));
  return secretDocument(status, html);
}

function failed(context: Context, request: PageRequest): Reply {
  const why = 'This is a defect of the service, and its log says why.';
  return refusedPage(context, request, 500, 'The service failed', why, 'Please report it.');
}

function turnedAway(context: Context, request: PageRequest, refusal: ConnectError): Reply {
  const { status, title, advice } = rowOf(pageRefusalOf(refusal)?.reason ?? ErrorReason.UNSPECIFIED);
  return sayWhen(refusedPage(context, request, status, title, sentence(refusal.rawMessage), advice), refusal);
}

function refusedPage(
  { assets }: Context,
  { url = '' }: PageRequest,
  status: number,
  title: string,
  lead: string,
  advice: string,
): Reply {
  // Where the form goes is one deeper than all pages.
  const root = pathOf(url) === MAKE ? '../' : '';
  const main = refusedMain(title, lead, advice, { href: '', text: 'Load again' });
  const footer = h('footer');
  const html = documentHtml({
    title,
    assets: below(root, assets.urls),
    home: root === '' ? './' : root,
    main,
    footer,
  });
  return secretDocument(status, html);
}

function pathOf(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

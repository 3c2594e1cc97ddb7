import type { ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { ASSET_FOLDER, type Assets } from './assets.ts';
import { type Context, MAKE, OPEN, type PageOptions } from './context.ts';
import { errorPage, errorPages } from './error-page.ts';
import { home, make } from './home-page.ts';
import { open, tokenPage } from './open-token.ts';
import { overviewPage } from './overview-page.ts';
import { pageRefusalOf, rowOf, sayWhen } from './refusals.ts';
import { file, type PageRequest, type PageResponse, plain, type Reply, seeOther, send } from './reply.ts';
import { SharedPages } from './shared-pages.ts';
import { EMPTY_DRAFT } from './view/home.ts';
import { OVERVIEW } from './view/overview.ts';
import { sentence } from './view/refused.ts';

/**
 * Serves the web page: `/` creates a token, `/{token}` shows its cluster, `/_clusters` shows all clusters to
 * operators, and its files are below `/_page/`. All of its URLs are relative, so that it works below the path
 * of a proxy. It answers every request that it receives; with a refusal it answers that.
 */
export function pageHandler(
  clientOf: (request: PageRequest) => DiscoveryClient,
  assets: Assets,
  options: PageOptions,
): (request: PageRequest, response: PageResponse, refusal?: ConnectError) => Promise<void> {
  const pages = new SharedPages();
  const context: Context = { clientOf, options, assets, pages, errorPage: errorPages(assets) };
  return async (request, response, refusal) => {
    if (refusal !== undefined) return send(request, response, turnedAway(context, request, refusal));
    let reply: Reply;
    try {
      reply = await answer(context, request);
    } catch (defect) {
      // A client that did not send its whole form is gone.
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
  const path = url.replace(/[?#].*$/s, '');
  const reading = method === 'GET' || method === 'HEAD';
  const form = FORMS[path];
  if (form !== undefined) {
    if (method === 'POST') return form(context, request);
    // A reload of the form's URL.
    return reading ? seeOther('../') : notAllowed(context, request, 'GET, HEAD, POST');
  }
  if (!reading) return notAllowed(context, request, 'GET, HEAD');
  if (path === `/${OVERVIEW}`) return overviewPage(context, request);
  if (path === '/') return home(context, request, EMPTY_DRAFT);
  if (path.startsWith(`/${ASSET_FOLDER}`))
    return asset(context, request, path.slice(ASSET_FOLDER.length + 1));
  // With a trailing slash, every relative URL would change its meaning.
  if (path.endsWith('/')) return seeOther(`..${path.slice(0, -1)}`);
  return tokenPage(context, request, path.slice(1), './');
}

const FORMS: Readonly<Record<string, typeof make>> = { [MAKE]: make, [OPEN]: open };

function notAllowed(context: Context, request: PageRequest, allow: string): Reply {
  const text = `Method ${request.method} is not allowed: use ${allow}.`;
  const reply = refused(context, request, 405, text);
  return { ...reply, headers: { ...reply.headers, Allow: allow } };
}

function refused({ errorPage: page }: Context, request: PageRequest, status: number, text: string): Reply {
  return page(request, { status, text, type: 'text/plain' }) ?? plain(status, text);
}

async function asset(context: Context, request: PageRequest, name: string): Promise<Reply> {
  const found = context.assets.files.get(name);
  if (found === undefined)
    return refused(context, request, 404, 'no such file: reload the page, there may be a newer version');
  const accepted = request.headers['accept-encoding']?.toString() ?? '';
  const zipped = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(accepted);
  return zipped ? file(found.type, await found.gzip(), 'gzip') : file(found.type, found.bytes, undefined);
}

function failed({ assets }: Context, request: PageRequest): Reply {
  return errorPage(assets, request, 500, {
    title: 'The service failed',
    lead: 'This is a bug in the service. The log of the service has the details.',
    advice: 'Please report it.',
    again: true,
  });
}

function turnedAway({ assets }: Context, request: PageRequest, refusal: ConnectError): Reply {
  const { status, title, advice } = rowOf(pageRefusalOf(refusal)?.reason ?? ErrorReason.UNSPECIFIED);
  const lead = sentence(refusal.rawMessage);
  return sayWhen(errorPage(assets, request, status, { title, lead, advice, again: true }), refusal);
}

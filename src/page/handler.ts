import type { DiscoveryClient } from '../client/discovery-client.ts';
import { ASSET_FOLDER, type Assets, readAssets } from './assets.ts';
import { draftOf, isOwnForm, readForm } from './form.ts';
import { refusalOf, rowOf } from './refusals.ts';
import {
  file,
  openDocument,
  type PageRequest,
  type PageResponse,
  plain,
  type Reply,
  secretDocument,
  seeOther,
  send,
} from './reply.ts';
import { showToken } from './token-page.ts';
import { type AssetUrls, documentHtml } from './view/document.ts';
import { type Draft, EMPTY_DRAFT, homeMain } from './view/home.ts';
import { h } from './view/node.ts';
import { refusedMain, sentence } from './view/refused.ts';

export interface PageOptions {
  /** The URL by which the reader can reach the service, without a slash at the end. */
  readonly urlFor: (request: PageRequest) => string;
  readonly version: string;
  /** Is told of errors that nobody foresaw; their readers get a page that says so. */
  readonly onDefect: (defect: unknown) => void;
  /** The built files; those beside this module unless given. */
  readonly assets?: Assets;
}

/** Where the form of the first page goes. */
const MAKE = `/${ASSET_FOLDER}new`;

/**
 * Serves the web page: `/` makes a token, `/{token}` shows its cluster, and its files are below `/_page/`. Every
 * URL in it is relative, so that it works below a path of a proxy. Answers every request that it is given.
 */
export function pageHandler(
  client: DiscoveryClient,
  options: PageOptions,
): (request: PageRequest, response: PageResponse) => Promise<void> {
  const assets = options.assets ?? readAssets();
  const context: Context = { client, options, assets };
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

interface Context {
  readonly client: DiscoveryClient;
  readonly options: PageOptions;
  readonly assets: Assets;
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
  const { client, options, assets } = context;
  // Below it, every relative URL would be another one.
  if (path.endsWith('/')) return seeOther(`..${path.slice(0, -1)}`);
  const token = path.slice(1);
  const serviceUrl = options.urlFor(request);
  const { status, title, main, footer, live } = await showToken(client, token, serviceUrl);
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

function home(
  { options, assets }: Context,
  request: PageRequest,
  draft: Draft,
  status = 200,
  root = '',
): Reply {
  const { version } = options;
  const html = documentHtml({
    title: 'etcd discovery',
    assets: below(root, assets.urls),
    home: root === '' ? './' : root,
    main: homeMain({
      serviceUrl: options.urlFor(request),
      action: `${root}${MAKE.slice(1)}`,
      draft,
      version,
    }),
    footer: h('footer', {}, h('p', {}, `etcd-discovery ${version}`)),
  });
  return openDocument(status, html);
}

/** URLs relative to the root, seen from a page that is deeper. The first page needs no script. */
function below(root: string, { style, icon }: AssetUrls): AssetUrls {
  const from = (url: string | undefined): string | undefined => url && `${root}${url}`;
  return { style: from(style), icon: from(icon) };
}

async function make(context: Context, request: PageRequest): Promise<Reply> {
  const { client, options } = context;
  const form = await readForm(request);
  if (form === undefined)
    return plain(400, 'this is not the form of the first page; make a token there, or with /new?size=3');
  const draft = draftOf(form);
  const refuse = (status: number, problem: string, field?: Draft['field']): Reply =>
    home(context, request, { ...draft, problem: sentence(problem), ...(field && { field }) }, status, '../');
  if (!isOwnForm(request, options.urlFor(request))) {
    return refuse(403, 'the form came from another site, and nothing was made; send it from here');
  }
  if (!/^\d{1,9}$/.test(draft.size))
    return refuse(400, 'how many nodes the cluster has is a number, like 3', 'size');
  if (!/^\d{0,12}$/.test(draft.ttl)) return refuse(400, 'the lifetime is a number of seconds', 'ttl');
  try {
    const { cluster } = await client.createToken({
      size: Number(draft.size),
      description: draft.description,
      ...(draft.ttl !== '' && { ttl: { seconds: BigInt(draft.ttl) } }),
    });
    return seeOther(`../${cluster?.token}`);
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    if (refusal === undefined) throw thrown;
    const { reason, text, field } = refusal;
    return refuse(
      rowOf(reason).status,
      text,
      FIELDS.find((each) => each === field),
    );
  }
}

const FIELDS = ['size', 'ttl', 'description'] as const;

function failed({ assets }: Context): Reply {
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
  return secretDocument(
    500,
    documentHtml({ title, assets: below('', assets.urls), home: './', main, footer }),
  );
}

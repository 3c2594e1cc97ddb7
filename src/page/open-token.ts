import { isFromOwnPage } from '../values/own-page.ts';
import { NO_WORK, sendingUnits } from '../work.ts';
import type { Context } from './context.ts';
import { readForm } from './form.ts';
import { below } from './place.ts';
import { type PageRequest, plain, type Reply, secretDocument } from './reply.ts';
import { showToken } from './token-page.ts';
import { documentHtml } from './view/document.ts';
import type { VElement } from './view/node.ts';
import { bareToken } from './view/secret.ts';

/** Returns the page of a token. `root` is the service's root relative to it. */
export async function tokenPage(
  { clientOf, options, assets, pages }: Context,
  request: PageRequest,
  token: string,
  root: string,
): Promise<Reply> {
  const place = { token, serviceUrl: options.urlFor(request), root };
  // Whole seconds, so that requests in the same second get the same page.
  const now = Math.floor(Date.now() / 1000) * 1000;
  const { status, title, draw, view, live } = await showToken(clientOf(request), place, now);
  const { script } = assets.urls;
  const still = below(root, assets.urls);
  const urls = live && script !== undefined ? { ...still, script: `${root}${script}` } : still;
  const drawAll = (comers?: readonly VElement[]): string =>
    documentHtml({ title, assets: urls, home: root, ...draw(comers) });
  const work = options.workOf?.(request) ?? NO_WORK;
  const html = await pages.html({ view, now }, place, drawAll, work);
  work.owe(sendingUnits(html.length));
  const reply = secretDocument(status, html);
  // A browser that is asked for a password opens a dialog, and shows the form for the secret only after it is
  // closed.
  return status === 401 && options.needsCredentials !== true
    ? { ...reply, headers: { ...reply.headers, 'WWW-Authenticate': 'Bearer' } }
    : reply;
}

/** Shows a token to a reader who has sent its secret in a form. */
export async function open(context: Context, request: PageRequest): Promise<Reply> {
  const form = await readForm(request);
  const token = bareToken(form?.get('token')?.trim() ?? '');
  const secret = form?.get('secret')?.trim() ?? '';
  const refuse = (status: number, what: string): Reply => {
    const text = `${what}; open the page of the token and enter the secret there`;
    return context.errorPage(request, { status, text, type: 'text/plain' }) ?? plain(status, text);
  };
  if (token === '') return refuse(400, 'this form does not contain the secret of a token');
  if (!isFromOwnPage(request.headers, context.options.urlFor(request)))
    return refuse(403, 'the form was sent from another site');
  return tokenPage(context, request, secret === '' ? token : `${token}:${secret}`, '../');
}

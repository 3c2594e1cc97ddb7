import { isFromOwnPage } from '../values/own-page.ts';
import { type Context, MAKE } from './context.ts';
import { draftOf, readForm } from './form.ts';
import { below } from './place.ts';
import { pageRefusalOf, rowOf, sayWhen } from './refusals.ts';
import { openDocument, type PageRequest, plain, type Reply, seeOther } from './reply.ts';
import { documentHtml } from './view/document.ts';
import { homeMain, type TokenDraft } from './view/home.ts';
import { h } from './view/node.ts';
import { OVERVIEW } from './view/overview.ts';
import { sentence } from './view/refused.ts';

/** Returns the home page. `root` is the service's root relative to the page. */
export function home(
  { options, assets }: Context,
  request: PageRequest,
  draft: TokenDraft,
  status = 200,
  root = './',
): Reply {
  const html = documentHtml({
    title: 'etcd discovery',
    assets: below(root, assets.urls),
    home: root,
    main: homeMain({
      serviceUrl: options.urlFor(request),
      action: `${root}${MAKE.slice(1)}`,
      lifetimes: options.lifetimes,
      draft,
    }),
    footer: h(
      'footer',
      {},
      h(
        'p',
        {},
        `etcd-discovery ${options.version} · `,
        h('a', { href: `${root}${OVERVIEW}` }, 'all clusters (operators only)'),
      ),
    ),
  });
  return openDocument(status, html);
}

/** Creates the token that a form requests and redirects to its page, or returns the form with the error. */
export async function make(context: Context, request: PageRequest): Promise<Reply> {
  const { clientOf, options } = context;
  const form = await readForm(request);
  if (form === undefined) {
    const text = 'this form is not from the home page; create a token there, or with /new?size=3';
    return context.errorPage(request, { status: 400, text, type: 'text/plain' }) ?? plain(400, text);
  }
  const draft = draftOf(form);
  const refuse = (status: number, problem: string, field?: TokenDraft['field']): Reply =>
    home(context, request, { ...draft, problem: sentence(problem), ...(field && { field }) }, status, '../');
  if (!isFromOwnPage(request.headers, options.urlFor(request))) {
    return refuse(
      403,
      'the form was sent from another site, so no token was created; submit it from this page',
    );
  }
  if (!/^\d{1,9}$/.test(draft.size)) return refuse(400, 'enter the number of nodes, such as 3', 'size');
  if (!/^\d{0,12}$/.test(draft.ttl)) return refuse(400, 'the lifetime must be a number of seconds', 'ttl');
  try {
    const { cluster } = await clientOf(request).createToken({
      size: Number(draft.size),
      description: draft.description,
      ...(draft.ttl !== '' && { ttl: { seconds: BigInt(draft.ttl) } }),
    });
    return seeOther(`../${cluster?.token}`);
  } catch (thrown) {
    const refusal = pageRefusalOf(thrown);
    if (refusal === undefined) throw thrown;
    const { reason, text, field } = refusal;
    const wrong = FIELDS.find((each) => each === field);
    return sayWhen(refuse(rowOf(reason).status, text, wrong), thrown);
  }
}

const FIELDS = ['size', 'ttl', 'description'] as const;

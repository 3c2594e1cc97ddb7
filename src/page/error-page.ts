import { prefersHtml } from './accept.ts';
import type { Assets } from './assets.ts';
import { below } from './place.ts';
import { type PageRequest, type Reply, secretDocument } from './reply.ts';
import { documentHtml } from './view/document.ts';
import { h } from './view/node.ts';
import { type Refused, refusedMain, sentence } from './view/refused.ts';

/** ServiceError is an error of any surface, before it is formatted for its client. */
export interface ServiceError {
  /** The HTTP status. */
  readonly status: number;
  /** The service's message: the mistake, and what to do. */
  readonly text: string;
  /** The media type for programs. */
  readonly type: string;
}

/** ErrorPage renders an error as a page for a client that prefers HTML. Undefined for all other clients. */
export type ErrorPage = (request: PageRequest, error: ServiceError) => Reply | undefined;

export function errorPages(assets: Assets): ErrorPage {
  return (request, { status, text, type }) => {
    if (!prefersHtml(request.headers.accept, type)) return undefined;
    const [title, advice] = WORDS[status] ?? (status < 500 ? OTHER : FAILED);
    const again = status === 429 || status >= 500;
    return errorPage(assets, request, status, { title, lead: sentence(text), advice, again });
  };
}

/** Returns an error page for any URL, which may contain a token. */
export function errorPage(
  { urls }: Assets,
  { url = '' }: PageRequest,
  status: number,
  refused: Omit<Refused, 'root'>,
): Reply {
  const root = rootSeenFrom(url);
  const html = documentHtml({
    title: refused.title,
    assets: below(root, urls),
    home: root,
    main: refusedMain({ ...refused, root }),
    footer: h('footer'),
  });
  return secretDocument(status, html);
}

/** Deeper than any path of the service. On deeper pages links do not lead to the root. */
const DEEPEST = 20;

/** Returns the service's root as a relative URL, so that it works below the path of a proxy. */
export function rootSeenFrom(url: string): string {
  const depth = url.replace(/[?#].*$/s, '').split('/', DEEPEST + 2).length - 2;
  return '../'.repeat(Math.max(0, Math.min(depth, DEEPEST))) || './';
}

const OTHER = ['Request rejected', 'Check the address, or go back to the home page.'] as const;
const FAILED = ['The service failed', 'No data was lost. Reload this page in a moment.'] as const;

/** The title by status, and what to do if the service's message does not say so. */
const WORDS: Readonly<Record<number, readonly [title: string, advice: string]>> = {
  400: ['Bad request', OTHER[1]],
  401: ['Credentials required', 'Ask the person who gave you this address, or the operator of this service.'],
  403: ['Not allowed', 'Ask the person who gave you this address, or the operator of this service.'],
  404: ['Not found', 'Check the address: it must match the one that you received exactly.'],
  405: ['Method not allowed', OTHER[1]],
  413: ['Request too large', OTHER[1]],
  429: ['Too many requests', FAILED[1]],
  503: ['Temporarily unavailable', FAILED[1]],
};

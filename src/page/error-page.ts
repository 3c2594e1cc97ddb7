import { prefersHtml } from './accept.ts';
import type { Assets } from './assets.ts';
import { below } from './place.ts';
import { type PageRequest, type Reply, secretDocument } from './reply.ts';
import { documentHtml } from './view/document.ts';
import { h } from './view/node.ts';
import { type Refused, refusedMain, sentence } from './view/refused.ts';

/** An error of any surface of the service, before it is written for its client. */
export interface ServiceError {
  /** Of HTTP. */
  readonly status: number;
  /** What is wrong and what to do, in the service's words. */
  readonly text: string;
  /** The media type that programs get. */
  readonly type: string;
}

/** Writes an error as a page for a client that prefers HTML; undefined for all others. */
export type ErrorPage = (request: PageRequest, error: ServiceError) => Reply | undefined;

export function errorPages(assets: Assets): ErrorPage {
  return (request, { status, text, type }) => {
    if (!prefersHtml(request.headers.accept, type)) return undefined;
    const [title, advice] = WORDS[status] ?? (status < 500 ? OTHER : FAILED);
    const again = status === 429 || status >= 500;
    return errorPage(assets, request, status, { title, lead: sentence(text), advice, again });
  };
}

/** A page that says no, wherever it is asked for. Its address may hold a token. */
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

/** Deeper than any path of the service; the links of such a page lead elsewhere. */
const DEEPEST = 20;

/** The service's root as a relative URL, so that it works below a path of a proxy. */
export function rootSeenFrom(url: string): string {
  const depth = url.replace(/[?#].*$/s, '').split('/', DEEPEST + 2).length - 2;
  return '../'.repeat(Math.max(0, Math.min(depth, DEEPEST))) || './';
}

const OTHER = ['Not possible', 'Check the address, or start from the first page.'] as const;
const FAILED = ['The service failed', 'Nothing is lost. Load this page again in a moment.'] as const;

/** By status: the title, and what to do where the service's words leave it open. */
const WORDS: Readonly<Record<number, readonly [title: string, advice: string]>> = {
  400: ['Bad request', OTHER[1]],
  401: ['Credentials required', 'Ask the person who gave you this address, or the operator of this service.'],
  403: ['Not allowed', 'Ask the person who gave you this address, or the operator of this service.'],
  404: ['Not found', 'Compare the address with the one that you were given, character by character.'],
  405: ['Method not allowed', OTHER[1]],
  413: ['Request too large', OTHER[1]],
  429: ['Too many requests', FAILED[1]],
  503: ['Temporarily unavailable', FAILED[1]],
};

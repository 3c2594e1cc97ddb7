import { send } from '../../page/reply.ts';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import type { ServicePages } from './service-pages.ts';

/** The query parameter of a Connect call by GET. */
const CALL = /[?&]connect=v1(?:&|$)/;

/** Answers a browser that opens the URL of a method. Returns false for everything else, which is a call. */
export function answerBrowser(
  { errorPage }: Pick<ServicePages, 'errorPage'>,
  request: PortRequest,
  response: PortResponse,
): boolean {
  const { method, url = '' } = request;
  if ((method !== 'GET' && method !== 'HEAD') || CALL.test(url)) return false;
  const text = 'This is a method of the API. Programs call it with POST.';
  const page = errorPage(request, { status: 405, text, type: 'application/json' });
  if (page === undefined) return false;
  send(request, response, { ...page, headers: { ...page.headers, Allow: 'POST' } });
  return true;
}

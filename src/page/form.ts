import { REQUEST_LIMITS } from '../limits.ts';
import type { PageRequest } from './reply.ts';
import type { TokenDraft } from './view/home.ts';

/** Reads a form as a browser sends it. Undefined: it is none, or too long. Rejects when the client hangs up. */
export async function readForm(request: PageRequest): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Read to its end in any case: to hang up on the rest could lose the answer as well.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= REQUEST_LIMITS.pageFormBytes) chunks.push(chunk);
  }
  const type = request.headers['content-type'] ?? '';
  if (size > REQUEST_LIMITS.pageFormBytes || !/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type))
    return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** What a form had in it; what it lacks is empty. */
export function draftOf(form: URLSearchParams): TokenDraft {
  const text = (name: string): string => form.get(name)?.trim() ?? '';
  return { size: text('size'), ttl: text('ttl'), description: text('description') };
}

/**
 * Whether a form was sent by a page of this service, and not by another site through its reader's browser.
 * Programs say neither where they come from nor hold anything that another site could misuse.
 */
export function isOwnForm({ headers }: PageRequest, serviceUrl: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined) return true;
  const authority = headers[':authority'] ?? headers.host;
  // A proxy in front may speak TLS, so the scheme can be another one than here.
  const from = URL.canParse(origin) ? new URL(origin).host : undefined;
  return from !== undefined && (from === authority || from === new URL(serviceUrl).host);
}

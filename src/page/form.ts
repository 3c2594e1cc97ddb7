import { REQUEST_LIMITS } from '../limits.ts';
import type { PageRequest } from './reply.ts';
import type { TokenDraft } from './view/home.ts';

/**
 * Reads a form as browsers send it. Undefined: it is not a form, or too long. Rejects if the client
 * disconnects.
 */
export async function readForm(request: PageRequest): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Reads to the end in any case: closing the connection with unread bytes could lose the response.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= REQUEST_LIMITS.pageFormBytes) chunks.push(chunk);
  }
  const type = request.headers['content-type'] ?? '';
  if (size > REQUEST_LIMITS.pageFormBytes || !/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type))
    return undefined;
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** Returns the values of a form. Missing ones are empty. */
export function draftOf(form: URLSearchParams): TokenDraft {
  const text = (name: string): string => form.get(name)?.trim() ?? '';
  return { size: text('size'), ttl: text('ttl'), description: text('description') };
}

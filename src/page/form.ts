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

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../gen/openapi.json', import.meta.url));
/** The server URL in the generated document. */
const SERVER = '"http://localhost:8087"';

/**
 * OpenapiFor returns the OpenAPI document of a service that the client reaches by a URL. Undefined in a build
 * by the compiler only.
 */
export type OpenapiFor = (url: string) => string | undefined;

export function readOpenapi(file = FILE): OpenapiFor {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return () => undefined;
    throw error;
  }
  const at = text.indexOf(SERVER);
  const [before, after] = [text.slice(0, at), text.slice(at + SERVER.length)];
  return (url) => before + JSON.stringify(url) + after;
}

import { readFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { createRequire } from 'node:module';

const PATH = '/grpc.health.v1.Health/Check';
/** A busy store takes a few seconds. */
const ANSWER_MS = 5000;
/** The response is one short word. */
const ANSWER_BYTES = 4096;

/**
 * With `require`, because importing node:http evaluates all of its exports, which since Node.js 22 includes
 * all of fetch.
 */
const builtin = createRequire(import.meta.url) as {
  (name: 'node:http'): typeof import('node:http');
  (name: 'node:https'): typeof import('node:https');
};

type Files = Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;

/** Returns whether the service can serve, with one plain call. Undefined for any unexpected response. */
export async function askHealth(server: string, files: Files): Promise<boolean | undefined> {
  try {
    const { status } = JSON.parse(await answer(await open(`${server}${PATH}`, files))) as { status?: string };
    return status === undefined ? undefined : status === 'SERVING';
  } catch {
    return undefined;
  }
}

async function open(url: string, { cacert, cert, key }: Files): Promise<ClientRequest> {
  const options: RequestOptions = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
    agent: false,
    timeout: ANSWER_MS,
  };
  if (url.startsWith('http:')) return builtin('node:http').request(url, options);
  if ((cert === undefined) !== (key === undefined)) throw new Error('a certificate without its key');
  const [ca, chain, secret] = await Promise.all(
    [cacert, cert, key].map(async (file) => file && readFile(file)),
  );
  return builtin('node:https').request(url, {
    ...options,
    ...(ca && { ca }),
    ...(chain && { cert: chain }),
    ...(secret && { key: secret }),
  });
}

function answer(request: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (response: IncomingMessage): void => {
      let text = '';
      if (response.statusCode !== 200) request.destroy(new Error('unexpected response'));
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES) request.destroy(new Error('response too large'));
      });
      response.on('end', () => resolve(text)).on('error', reject);
    };
    request.on('response', read).on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no response')));
    request.end('{}');
  });
}

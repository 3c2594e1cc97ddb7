import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { parseEtcdVersion } from '../../../values/etcd-version.ts';
import type { EtcdAccess } from './connection.ts';
import type { Tls } from './credentials.ts';

const DEADLINE_MS = 2000;
/** The largest response that is read: one has some 50 bytes, but a different server may send more. */
const ANSWER_BYTES = 1000;

/**
 * Returns the version that an etcd reports over HTTP, as those too old for gRPC do. Undefined if no endpoint
 * reports one.
 */
export async function versionOverHttp({ endpoints, tls }: EtcdAccess): Promise<string | undefined> {
  const answers = await Promise.all(
    endpoints.map((endpoint) => ask(`${endpoint}/version`, typeof tls === 'function' ? tls() : tls)),
  );
  return answers.map(parseEtcdVersion).find((version) => version !== undefined);
}

/** Returns the start of a response. Empty if there is none. */
function ask(url: string, tls: Tls | undefined): Promise<string> {
  return new Promise((resolve) => {
    const options = { ...tls, agent: false, signal: AbortSignal.timeout(DEADLINE_MS) };
    const request = url.startsWith('https:') ? requestTls(url, options) : requestPlain(url, options);
    let text = '';
    const end = (): void => {
      resolve(text);
      request.destroy();
    };
    request.on('error', end);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES) end();
      });
      response.on('end', end);
      response.on('error', end);
    });
    request.end();
  });
}

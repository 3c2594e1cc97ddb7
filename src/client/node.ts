import type { ConnectionOptions } from 'node:tls';
import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from './discovery-client.ts';
import { RETRY_LIMITS, type RetryLimits, retryInterceptor } from './retry.ts';

export * from './index.ts';

export interface ClientOptions extends Partial<RetryLimits> {
  /** Sent with every call, like `{ Authorization: 'Bearer ...' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For `https:` URLs: a CA that this machine does not know, a client certificate. In PEM. */
  readonly tls?: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'
  >;
}

/**
 * A client of the service at a URL like `http://localhost:8087`. What is safe to repeat is repeated while the
 * service is away for a moment: see `retryInterceptor`. Nothing is to be closed. Throws a TypeError for what is no
 * such URL.
 */
export function createDiscoveryClient(url: string | URL, options: ClientOptions = {}): DiscoveryClient {
  return createClient(DiscoveryService, discoveryTransport(url, options));
}

/** What such a client sends its calls by: for clients of the other services at the same URL. */
export function discoveryTransport(url: string | URL, options: ClientOptions = {}): Transport {
  const { headers = {}, tls = {}, ...limits } = options;
  // Over HTTP/1.1: a GOAWAY on an idle HTTP/2 connection can end the process of a connect-node client.
  return createConnectTransport({
    baseUrl: baseUrlOf(url),
    httpVersion: '1.1',
    nodeOptions: { ...tls, headers },
    interceptors: [retryInterceptor({ ...RETRY_LIMITS, ...limits })],
  });
}

function baseUrlOf(url: string | URL): string {
  const text = String(url);
  if (/^https?:\/\/./i.test(text) && URL.canParse(text)) return text;
  throw new TypeError(
    `the URL of a discovery service is like http://localhost:8087 or https://discovery.example.com, not ${JSON.stringify(text)}`,
  );
}

import type { ConnectionOptions } from 'node:tls';
import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from './discovery-client.ts';
import { RETRY_LIMITS, type RetryLimits, retryInterceptor } from './retry.ts';

export * from './index.ts';

export interface ClientOptions extends Partial<RetryLimits> {
  /** Headers of every call, such as `{ Authorization: 'Bearer ...' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * TLS options for `https:` URLs, in PEM: a CA that is not in the system's trust store, or a client
   * certificate.
   */
  readonly tls?: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'
  >;
}

/**
 * Returns a client of the service at a URL such as `http://localhost:8087`. Calls that are safe to repeat are
 * retried while the service is briefly unavailable: see `retryInterceptor`. The client does not have to be
 * closed. Throws a TypeError for an invalid URL.
 */
export function createDiscoveryClient(url: string | URL, options: ClientOptions = {}): DiscoveryClient {
  return createClient(DiscoveryService, discoveryTransport(url, options));
}

/** Returns the transport of such a client, for clients of the other services at the same URL. */
export function discoveryTransport(url: string | URL, options: ClientOptions = {}): Transport {
  const { headers = {}, tls = {}, ...limits } = options;
  // HTTP/1.1, because a GOAWAY on an idle HTTP/2 connection can end the process of a connect-node client.
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
    `invalid URL ${JSON.stringify(text)}: use the URL of a discovery service, like http://localhost:8087 or https://discovery.example.com`,
  );
}

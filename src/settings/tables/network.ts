import { PRESETS } from '../../limits.ts';
import { parseListenAddress } from '../../values/address.ts';
import { formatDuration } from '../../values/duration.ts';
import { parsePublicUrl } from '../../values/public-url.ts';
import { duration, FILE, LONGEST_TIMER, setting } from './setting.ts';

/** Settings of the addresses on which the service listens and by which it is known. */
export const NETWORK = {
  addr: setting({
    flag: 'addr',
    short: 'a',
    value: 'HOST:PORT',
    takes: 'host:port or :port with a port up to 65535, like :8087, 127.0.0.1:8087 or [::1]:8087',
    parse: parseListenAddress,
    default: ':8087',
    help: 'Listen address. Without a host: all addresses of this machine.',
  }),
  metricsAddr: setting({
    flag: 'metrics-addr',
    value: 'HOST:PORT',
    takes: 'host:port or :port with a port up to 65535, like 127.0.0.1:9087',
    parse: parseListenAddress,
    help: 'Serve /metrics on this address instead of --addr, without TLS. /livez and /readyz are served on both.',
  }),
  host: setting({
    flag: 'host',
    value: 'URL',
    takes: 'a URL with a scheme, a host and optionally a path, like https://discovery.example.com/disc',
    parse: parsePublicUrl,
    help: 'Public URL of the service, including a path that a proxy adds. /new returns URLs that start with it. Default: the address of the request.',
  }),
  pollLimit: setting({
    flag: 'poll-limit',
    ...duration('1s', LONGEST_TIMER),
    default: formatDuration(PRESETS.pollLimit),
    help: "How long a v2 long poll waits before it returns empty and the client retries. Keep it below your proxies' idle timeout.",
  }),
  tlsCert: setting({
    flag: 'tls-cert',
    ...FILE,
    help: 'TLS certificate in PEM, with its chain. The port then accepts only TLS.',
  }),
  tlsKey: setting({
    flag: 'tls-key',
    ...FILE,
    help: 'Private key of the TLS certificate in PEM, without a passphrase.',
  }),
} as const;

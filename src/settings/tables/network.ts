import { PRESETS } from '../../limits.ts';
import { parseListenAddress, parsePublicUrl } from '../../values/address.ts';
import { formatDuration } from '../../values/duration.ts';
import { duration, FILE, LONGEST_TIMER, setting } from './setting.ts';

/** Where the service listens, and how it shows itself. */
export const NETWORK = {
  addr: setting({
    flag: 'addr',
    short: 'a',
    value: 'HOST:PORT',
    takes: 'host:port or :port, like :8087, 127.0.0.1:8087 or [::1]:8087',
    parse: parseListenAddress,
    default: ':8087',
    help: 'Where to listen. Without a host: on every address of this machine.',
  }),
  metricsAddr: setting({
    flag: 'metrics-addr',
    value: 'HOST:PORT',
    takes: 'host:port or :port, like 127.0.0.1:9087',
    parse: parseListenAddress,
    help: 'Another address for /metrics, which is then not on the first one; /livez and /readyz are on both. In clear text.',
  }),
  host: setting({
    flag: 'host',
    value: 'URL',
    takes: 'a URL of scheme, host and perhaps a path, like https://discovery.example.com/disc',
    parse: parsePublicUrl,
    help: 'The URL by which nodes reach the service, with the path that a proxy adds, if any. /new answers with it. Default: the address of the request.',
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
    help: 'The certificate in PEM, with its chain. With it the port speaks TLS, and nothing in clear text.',
  }),
  tlsKey: setting({
    flag: 'tls-key',
    ...FILE,
    help: "The certificate's private key in PEM, without a passphrase.",
  }),
} as const;

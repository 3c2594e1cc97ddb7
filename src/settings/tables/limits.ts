import { PRESETS } from '../../limits.ts';
import { parseCidrs } from '../../values/ip.ts';
import { parseByteRate, parseRate } from '../../values/rate.ts';
import { count, setting } from './setting.ts';

const MOST = 1_000_000;

const rate = {
  takes: 'off, or a rate per second, minute or hour and a burst, like 1/s:1000, 60/m:100 or 500/h:10',
  parse: parseRate,
} as const;

/** Limits of each client, and of all clients together. A client is an IPv4 address or an IPv6 /64. */
export const LIMITS = {
  clientNewTokens: setting({
    flag: 'client-new-tokens',
    value: 'RATE',
    ...rate,
    default: PRESETS.clientNewTokens,
    help: 'Rate limit on new tokens per client: 1/s:1000 allows a burst of 1000, then one per second. Or off.',
  }),
  clientBytes: setting({
    flag: 'client-bytes',
    value: 'RATE',
    takes: 'off, or bytes per second, minute or hour and a burst, like 1MiB/m:16MiB',
    parse: parseByteRate,
    default: PRESETS.clientBytes,
    help: 'Rate limit on bytes stored per client (tokens, members and other changes), like 1MiB/m:16MiB. Or off.',
  }),
  clientRequests: setting({
    flag: 'client-requests',
    value: 'RATE',
    ...rate,
    default: PRESETS.clientRequests,
    help: 'Rate limit on requests per client, like 100/s:5000. Expensive requests count as several; probes and metrics do not count.',
  }),
  clientAtOnce: setting({
    flag: 'client-at-once',
    ...count(MOST),
    default: String(PRESETS.clientAtOnce),
    help: 'Limit on concurrent requests per client, including waiting nodes and streams.',
  }),
  clientWatches: setting({
    flag: 'client-watches',
    ...count(MOST),
    default: String(PRESETS.clientWatches),
    help: 'Limit on watches per client: waiting nodes, and watches of the API and of etcd v3 clients.',
  }),
  clientConnections: setting({
    flag: 'client-connections',
    ...count(MOST),
    default: String(PRESETS.clientConnections),
    help: 'Limit on connections per client. Connections of trusted proxies do not count.',
  }),
  maxAtOnce: setting({
    flag: 'max-at-once',
    ...count(MOST),
    default: String(PRESETS.maxAtOnce),
    help: 'Limit on concurrent requests of all clients, including waiting nodes and streams. Each uses 20 KB.',
  }),
  maxWatches: setting({
    flag: 'max-watches',
    ...count(MOST),
    default: String(PRESETS.maxWatches),
    help: 'Limit on watches of all clients. Keep it below --max-at-once, so that nodes can still register.',
  }),
  maxConnections: setting({
    flag: 'max-connections',
    ...count(MOST),
    default: String(PRESETS.maxConnections),
    help: 'Limit on connections of all clients. The process needs as many open files (ulimit -n).',
  }),
  trustedProxies: setting({
    flag: 'trusted-proxies',
    value: 'CIDR,...',
    takes: 'comma-separated addresses and networks, like 10.0.0.0/8,192.0.2.7,2001:db8::/32',
    parse: parseCidrs,
    help: 'Trusted proxies: their X-Forwarded-For or Forwarded header has the address of the client. From all other clients, these headers are ignored.',
  }),
} as const;

import { PRESETS } from '../../limits.ts';
import { parseCidrs } from '../../values/ip.ts';
import { parseByteRate, parseRate } from '../../values/rate.ts';
import { count, setting } from './setting.ts';

const MOST = 1_000_000;

const rate = {
  takes:
    'off, or how many in a second, minute or hour after how many at once, like 1/s:1000, 60/m:100 or 500/h:10',
  parse: parseRate,
} as const;

/** What clients may have: each of them, and all together. A client is an address, of IPv6 a /64. */
export const LIMITS = {
  clientNewTokens: setting({
    flag: 'client-new-tokens',
    value: 'RATE',
    ...rate,
    default: PRESETS.clientNewTokens,
    help: 'How many tokens one client may make: 1/s:1000 is a thousand at once, and then one a second. Or off.',
  }),
  clientBytes: setting({
    flag: 'client-bytes',
    value: 'RATE',
    takes: 'off, or how many bytes in a second, minute or hour after how many at once, like 1MiB/m:16MiB',
    parse: parseByteRate,
    default: PRESETS.clientBytes,
    help: 'How many bytes of tokens, members and other changes one client may have stored, like 1MiB/m:16MiB. Or off.',
  }),
  clientRequests: setting({
    flag: 'client-requests',
    value: 'RATE',
    ...rate,
    default: PRESETS.clientRequests,
    help: 'How many requests one client may send, like 100/s:5000. One that is a lot of work counts as several; probes and metrics do not count.',
  }),
  clientAtOnce: setting({
    flag: 'client-at-once',
    ...count(MOST),
    default: String(PRESETS.clientAtOnce),
    help: 'How many requests one client may have open at once, waiting nodes and streams included.',
  }),
  clientWatches: setting({
    flag: 'client-watches',
    ...count(MOST),
    default: String(PRESETS.clientWatches),
    help: 'How many watches one client may have: waiting nodes, and watches of the API and of etcd v3 clients.',
  }),
  clientConnections: setting({
    flag: 'client-connections',
    ...count(MOST),
    default: String(PRESETS.clientConnections),
    help: 'How many connections one client may have; those of trusted proxies do not count.',
  }),
  maxAtOnce: setting({
    flag: 'max-at-once',
    ...count(MOST),
    default: String(PRESETS.maxAtOnce),
    help: 'How many requests all clients together may have open, waiting nodes and streams included: 20 KB each.',
  }),
  maxWatches: setting({
    flag: 'max-watches',
    ...count(MOST),
    default: String(PRESETS.maxWatches),
    help: 'How many watches all clients together may have. Below --max-at-once, so that nodes can still register.',
  }),
  maxConnections: setting({
    flag: 'max-connections',
    ...count(MOST),
    default: String(PRESETS.maxConnections),
    help: 'How many connections all clients together may have. The process needs as many open files (ulimit -n).',
  }),
  trustedProxies: setting({
    flag: 'trusted-proxies',
    value: 'CIDR,...',
    takes: 'addresses and networks with commas between them, like 10.0.0.0/8,192.0.2.7,2001:db8::/32',
    parse: parseCidrs,
    help: 'The proxies whose X-Forwarded-For or Forwarded says who the client is. Of all others it is ignored.',
  }),
} as const;

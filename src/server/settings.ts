import { DEFAULT_POLICY } from '../discovery/limits.ts';
import { parseListenAddress, parsePublicUrl } from './address.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** One thing that the operator may set: with a flag, or with an environment variable when no flag does. */
export interface Setting<T> {
  readonly group: 'Network' | 'Storage' | 'Tokens' | 'Running';
  readonly flag: string;
  readonly short?: string;
  readonly env: string;
  /** The names by which the same setting was known to etcd's own discovery service. */
  readonly old?: { readonly flag: string; readonly short: string; readonly env: string };
  /** Stands for the value in the help. */
  readonly value: string;
  /** What a value must be, to go on after "takes". */
  readonly takes: string;
  /** Undefined refuses the text. */
  readonly parse: (text: string) => T | undefined;
  /** As it would be written; undefined when there is none. */
  readonly default?: string;
  readonly help: string;
}

/** A timer holds 2^31 - 1 ms, which is 24 days. */
const LONGEST_TIMER = '24d';

/** Every setting. The parsing, `serve --help` and the table in the README are made from this. */
export const SETTINGS = {
  addr: setting({
    group: 'Network',
    flag: 'addr',
    short: 'a',
    env: 'DISC_ADDR',
    value: 'HOST:PORT',
    takes: 'host:port or :port, like :8087, 127.0.0.1:8087 or [::1]:8087',
    parse: parseListenAddress,
    default: ':8087',
    help: 'Where to listen. Without a host: on every address of this machine.',
  }),
  host: setting({
    group: 'Network',
    flag: 'host',
    env: 'DISC_HOST',
    value: 'URL',
    takes: 'a URL of scheme and host only, like https://discovery.example.com',
    parse: parsePublicUrl,
    help: 'The URL by which nodes reach the service; /new answers with it. Without it: what the request used.',
  }),
  pollLimit: setting({
    group: 'Network',
    flag: 'poll-limit',
    env: 'DISC_POLL_LIMIT',
    value: 'DURATION',
    ...duration('1s', LONGEST_TIMER),
    default: '5m',
    help: 'When a waiting etcd v2 request is answered empty, to be sent again. Stay below the idle limit of proxies.',
  }),
  tlsCert: setting({
    group: 'Network',
    flag: 'tls-cert',
    env: 'DISC_TLS_CERT',
    value: 'FILE',
    takes: 'a file',
    parse: parsePath,
    help: 'The certificate in PEM, with its chain. With it the port speaks TLS, and nothing in clear text.',
  }),
  tlsKey: setting({
    group: 'Network',
    flag: 'tls-key',
    env: 'DISC_TLS_KEY',
    value: 'FILE',
    takes: 'a file',
    parse: parsePath,
    help: "The certificate's private key in PEM, without a passphrase.",
  }),
  dataDir: setting({
    group: 'Storage',
    flag: 'data-dir',
    env: 'DISC_DATA_DIR',
    value: 'DIR',
    takes: 'a directory',
    parse: parsePath,
    default: 'etcd-discovery-data',
    help: 'Where the embedded store keeps its files. Made when it is missing.',
  }),
  etcd: setting({
    group: 'Storage',
    flag: 'etcd',
    short: 'e',
    env: 'DISC_ETCD',
    value: 'URL',
    takes: 'the URL of an etcd',
    parse: (): string | undefined => undefined,
    help: 'Reserved for the etcd store, which is not built yet.',
  }),
  gcfreq: setting({
    group: 'Storage',
    flag: 'gcfreq',
    short: 'g',
    env: 'DISC_GCFREQ',
    value: 'DURATION',
    ...duration('1s', LONGEST_TIMER),
    default: '5m',
    help: 'How often tokens that ended longer than --retention ago are removed.',
  }),
  ttl: setting({
    group: 'Tokens',
    flag: 'ttl',
    env: 'DISC_TTL',
    old: { flag: 'minage', short: 'm', env: 'DISC_MINAGE' },
    value: 'DURATION',
    ...duration('1s', '3650d'),
    default: '168h',
    help: 'How long a token works when its maker does not say.',
  }),
  minTtl: setting({
    group: 'Tokens',
    flag: 'min-ttl',
    env: 'DISC_MIN_TTL',
    value: 'DURATION',
    ...duration('1s', '3650d'),
    default: formatDuration(DEFAULT_POLICY.minTtl),
    help: 'The shortest lifetime that the maker of a token may ask for.',
  }),
  maxTtl: setting({
    group: 'Tokens',
    flag: 'max-ttl',
    env: 'DISC_MAX_TTL',
    value: 'DURATION',
    ...duration('1s', '3650d'),
    default: formatDuration(DEFAULT_POLICY.maxTtl),
    help: 'The longest lifetime that the maker of a token may ask for.',
  }),
  retention: setting({
    group: 'Tokens',
    flag: 'retention',
    env: 'DISC_RETENTION',
    value: 'DURATION',
    ...duration('0s', '3650d'),
    default: formatDuration(DEFAULT_POLICY.retention),
    help: 'How long an expired or deleted token is remembered, so that its nodes are told what became of it.',
  }),
  maxSize: setting({
    group: 'Tokens',
    flag: 'max-size',
    env: 'DISC_MAX_SIZE',
    value: 'NUMBER',
    ...count(10_000),
    default: String(DEFAULT_POLICY.maxSize),
    help: 'The largest cluster that a token can be made for.',
  }),
  maxTokens: setting({
    group: 'Tokens',
    flag: 'max-tokens',
    env: 'DISC_MAX_TOKENS',
    value: 'NUMBER',
    ...count(1_000_000_000),
    default: String(DEFAULT_POLICY.maxTokens),
    help: 'How many tokens are held at once, remembered ones included.',
  }),
  customTokens: setting({
    group: 'Tokens',
    flag: 'custom-tokens',
    env: 'DISC_CUSTOM_TOKENS',
    value: 'on|off',
    ...oneOf('on', 'off'),
    default: DEFAULT_POLICY.customTokens ? 'on' : 'off',
    help: 'Whether the makers of tokens may choose them. Off: the service issues them all.',
  }),
  grace: setting({
    group: 'Running',
    flag: 'grace',
    env: 'DISC_GRACE',
    value: 'DURATION',
    ...duration('0s', '1h'),
    default: '10s',
    help: 'How long a stopping service (SIGTERM, SIGINT) lets calls finish before it cuts them off.',
  }),
  logLevel: setting({
    group: 'Running',
    flag: 'log-level',
    env: 'DISC_LOG_LEVEL',
    value: 'LEVEL',
    ...oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'The least of debug, info, warn and error that is logged. Each request is one line of level info.',
  }),
  logFormat: setting({
    group: 'Running',
    flag: 'log-format',
    env: 'DISC_LOG_FORMAT',
    value: 'FORMAT',
    ...oneOf('auto', 'json', 'text'),
    default: 'auto',
    help: 'json (one object a line), text (for people), or auto: text on a terminal, json elsewhere.',
  }),
} as const;

export type SettingKey = keyof typeof SETTINGS;

function setting<T>(of: Setting<T>): Setting<T> {
  return of;
}

function parsePath(text: string): string | undefined {
  return text === '' || text.includes('\0') ? undefined : text;
}

type Values<T> = Pick<Setting<T>, 'takes' | 'parse'>;

function duration(least: string, most: string): Values<number> {
  const [from = 0, to = 0] = [parseDuration(least), parseDuration(most)];
  return {
    takes: `a duration from ${least} to ${most}, like 168h, 1h30m, 90s or 7d`,
    parse: (text) => inRange(parseDuration(text), from, to),
  };
}

function count(most: number): Values<number> {
  return {
    takes: `a whole number from 1 to ${most}`,
    parse: (text) => (/^\d{1,15}$/.test(text) ? inRange(Number(text), 1, most) : undefined),
  };
}

function oneOf<const T extends string>(...words: readonly T[]): Values<T> {
  return {
    takes: `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`,
    parse: (text) => words.find((word) => word === text),
  };
}

function inRange(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

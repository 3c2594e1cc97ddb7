import { DEFAULT_POLICY } from '../../discovery/policy.ts';
import { PRESETS } from '../../limits.ts';
import { formatDuration } from '../../values/duration.ts';
import { count, duration, oneOf, setting } from './setting.ts';

/** What may be asked of a token. */
export const TOKENS = {
  ttl: setting({
    flag: 'ttl',
    old: { flag: 'minage', short: 'm', env: 'DISC_MINAGE' },
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.ttl),
    help: 'How long a token works when its maker does not say.',
  }),
  minTtl: setting({
    flag: 'min-ttl',
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.minTtl),
    help: 'The shortest lifetime that the maker of a token may ask for.',
  }),
  maxTtl: setting({
    flag: 'max-ttl',
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.maxTtl),
    help: 'The longest lifetime that the maker of a token may ask for.',
  }),
  retention: setting({
    flag: 'retention',
    ...duration('0s', '3650d'),
    default: formatDuration(PRESETS.retention),
    help: 'How long an expired or deleted token is remembered, so that its nodes are told what became of it.',
  }),
  maxSize: setting({
    flag: 'max-size',
    ...count(1000),
    default: String(PRESETS.maxSize),
    help: 'The largest cluster that a token can be made for.',
  }),
  maxTokens: setting({
    flag: 'max-tokens',
    ...count(1_000_000_000),
    default: String(PRESETS.maxTokens),
    help: 'How many tokens are held at once, remembered ones included.',
  }),
  customTokens: setting({
    flag: 'custom-tokens',
    value: 'on|off',
    ...oneOf('on', 'off'),
    default: DEFAULT_POLICY.customTokens ? 'on' : 'off',
    help: 'Whether the makers of tokens may choose them. Off: the service issues them all.',
  }),
} as const;

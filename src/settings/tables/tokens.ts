import { DEFAULT_POLICY } from '../../discovery/policy.ts';
import { PRESETS } from '../../limits.ts';
import { formatDuration } from '../../values/duration.ts';
import { count, duration, oneOf, setting } from './setting.ts';

/** Settings of tokens. */
export const TOKENS = {
  ttl: setting({
    flag: 'ttl',
    old: { flag: 'minage', short: 'm', env: 'DISC_MINAGE' },
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.ttl),
    help: 'Default lifetime of a token.',
  }),
  minTtl: setting({
    flag: 'min-ttl',
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.minTtl),
    help: 'Minimum lifetime of a token.',
  }),
  maxTtl: setting({
    flag: 'max-ttl',
    ...duration('1s', '3650d'),
    default: formatDuration(PRESETS.maxTtl),
    help: 'Maximum lifetime of a token.',
  }),
  retention: setting({
    flag: 'retention',
    ...duration('0s', '3650d'),
    default: formatDuration(PRESETS.retention),
    help: 'How long an expired or deleted token is kept, so that its nodes get an error that says what happened.',
  }),
  maxSize: setting({
    flag: 'max-size',
    ...count(1000),
    default: String(PRESETS.maxSize),
    help: 'Maximum cluster size.',
  }),
  maxTokens: setting({
    flag: 'max-tokens',
    ...count(1_000_000_000),
    default: String(PRESETS.maxTokens),
    help: 'Maximum number of tokens, including expired and deleted tokens within their retention.',
  }),
  customTokens: setting({
    flag: 'custom-tokens',
    value: 'on|off',
    ...oneOf('on', 'off'),
    default: DEFAULT_POLICY.customTokens ? 'on' : 'off',
    help: 'Whether callers can choose their own tokens. Off: the service generates every token.',
  }),
} as const;

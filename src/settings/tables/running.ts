import { count, duration, FILE, oneOf, setting } from './setting.ts';

/** Settings of the process. */
export const RUNNING = {
  config: setting({
    flag: 'config',
    ...FILE,
    help: 'YAML file with settings, named like these flags without the leading dashes. Flags and variables override it.',
  }),
  workers: setting({
    flag: 'workers',
    ...count(128),
    default: '1',
    help: 'Number of processes that serve the port. Requires --etcd; at most one per core. Each process applies the limits separately.',
  }),
  grace: setting({
    flag: 'grace',
    ...duration('0s', '1h'),
    default: '10s',
    help: 'How long the service waits for running calls when it stops (SIGTERM, SIGINT) before it aborts them.',
  }),
  logLevel: setting({
    flag: 'log-level',
    value: 'LEVEL',
    ...oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'Minimum log level: debug, info, warn or error. Each request is logged in one line at level info.',
  }),
  logFormat: setting({
    flag: 'log-format',
    value: 'FORMAT',
    ...oneOf('auto', 'json', 'text'),
    default: 'auto',
    help: 'json (one object per line), text (human-readable), or auto: text on a terminal, json otherwise.',
  }),
} as const;

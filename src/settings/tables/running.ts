import { count, duration, FILE, oneOf, setting } from './setting.ts';

/** How the process behaves. */
export const RUNNING = {
  config: setting({
    flag: 'config',
    ...FILE,
    help: 'A file of settings in YAML, named as these flags without dashes. Flags and variables beat it.',
  }),
  workers: setting({
    flag: 'workers',
    ...count(128),
    default: '1',
    help: 'How many processes serve the port, over etcd (--etcd): at most one for each core. Each counts the limits for itself.',
  }),
  grace: setting({
    flag: 'grace',
    ...duration('0s', '1h'),
    default: '10s',
    help: 'How long a stopping service (SIGTERM, SIGINT) lets calls finish before it cuts them off.',
  }),
  logLevel: setting({
    flag: 'log-level',
    value: 'LEVEL',
    ...oneOf('debug', 'info', 'warn', 'error'),
    default: 'info',
    help: 'The least of debug, info, warn and error that is logged. Each request is one line of level info.',
  }),
  logFormat: setting({
    flag: 'log-format',
    value: 'FORMAT',
    ...oneOf('auto', 'json', 'text'),
    default: 'auto',
    help: 'json (one object a line), text (for people), or auto: text on a terminal, json elsewhere.',
  }),
} as const;

import { SETTINGS, type Setting } from '../settings/settings.ts';
import { wrap } from './text/wrap.ts';

const FLAG_WIDTH = 34;
const ENV_WIDTH = 24;
const HELP_WIDTH = 38;

/** `serve --help`, made from the table of settings. */
export function serveHelp(): string {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const groups = [...new Set(settings.map(({ group }) => group))].map((group) => {
    return `${group}:\n${settingLines(settings.filter((setting) => setting.group === group))}`;
  });
  return `Run the discovery service: HTTP/1.1 and HTTP/2 on one port, data in one directory
or in etcd.

Usage: etcd-discovery serve [flags]

Each flag has an environment variable. A flag beats its variable; an empty one counts as unset.
Durations are written like 168h, 1h30m, 90s, 500ms or 7d.

${groups.join('\n\n')}

Examples:
  etcd-discovery serve
  etcd-discovery serve --addr 127.0.0.1:9000 --data-dir /var/lib/etcd-discovery
  etcd-discovery serve --etcd http://127.0.0.1:2379
  etcd-discovery serve --tls-cert server.pem --tls-key server-key.pem
  etcd-discovery serve --host https://discovery.example.com --ttl 24h
  DISC_ADDR=:9000 DISC_LOG_FORMAT=json etcd-discovery serve
`;
}

/** Settings as the help of a command lists them. */
export function settingLines(settings: readonly Described[]): string {
  return settings.map(entry).join('\n');
}

type Described = Pick<Setting<unknown>, 'flag' | 'short' | 'env' | 'old' | 'value' | 'help' | 'default'>;

function entry({ flag, short, env, old, value, help, default: preset }: Described): string {
  const spelt = flag === undefined ? '(no flag)' : `--${flag} ${value}`.trimEnd();
  const name = `  ${short === undefined ? '   ' : `-${short},`} ${spelt}`;
  const notes = [
    ...(old === undefined ? [] : [`Also: -${old.short}, --${old.flag}, ${old.env}.`]),
    ...(preset === undefined ? [] : [`(default ${preset})`]),
  ];
  const [first = '', ...more] = wrap([help, ...notes].join(' '), HELP_WIDTH);
  const lines = [name.padEnd(FLAG_WIDTH) + env.padEnd(ENV_WIDTH) + first];
  for (const line of more) lines.push(' '.repeat(FLAG_WIDTH + ENV_WIDTH) + line);
  return lines.join('\n');
}

import { SETTINGS, type Setting } from '../settings/settings.ts';
import { flagLines, WITH_VARIABLES } from './help.ts';

/** `serve --help`, made from the table of settings. */
export function serveHelp(): string {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const groups = [...new Set(settings.map(({ group }) => group))].map((group) => {
    const own = settings.filter((setting) => setting.group === group);
    return `${group}:\n${flagLines(own, WITH_VARIABLES)}`;
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

import { SETTING_GROUPS } from '../settings/settings.ts';
import { flagLines, WITH_VARIABLES } from './help.ts';

/** Returns `serve --help`, derived from the table of settings. */
export function serveHelp(): string {
  const groups = Object.entries(SETTING_GROUPS).map(
    ([heading, settings]) => `${heading}:\n${flagLines(Object.values(settings), WITH_VARIABLES)}`,
  );
  return `Run the discovery service: HTTP/1.1 and HTTP/2 on one port, data in a local directory
or in etcd.

Usage: etcd-discovery serve [flags]

Each flag has an environment variable, and a name in the --config file: addr for --addr.
Flags override variables, and variables override the file. An empty variable counts as unset.
Durations look like 168h, 1h30m, 1.5h, 90s, 500ms or 7d.

${groups.join('\n\n')}

Examples:
  etcd-discovery serve
  etcd-discovery serve --addr 127.0.0.1:9000 --data-dir /var/lib/etcd-discovery
  etcd-discovery serve --etcd http://127.0.0.1:2379
  etcd-discovery serve --tls-cert server.pem --tls-key server-key.pem
  etcd-discovery serve --host https://discovery.example.com --ttl 24h
  etcd-discovery serve --config /etc/etcd-discovery.yaml
  DISC_ADDR=:9000 DISC_LOG_FORMAT=json etcd-discovery serve
`;
}

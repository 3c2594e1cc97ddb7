import type { NodeStart } from './node.ts';
import { allSettings, environment } from './settings.ts';

/** Returns a unit for `/etc/systemd/system/etcd.service`. */
export function systemdText(node: NodeStart): string {
  const flags = allSettings(node).map(([flag, value]) => argument(`--${flag}=${value}`));
  const variables = environment(node).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`);
  return `# /etc/systemd/system/etcd.service; start it with: systemctl daemon-reload && systemctl enable --now etcd
[Unit]
Description=etcd
Documentation=https://etcd.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
${variables.join('')}ExecStart=etcd \\
  ${flags.join(' \\\n  ')}
# etcd is not ready until all members have started, however long that takes.
TimeoutStartSec=infinity
Restart=on-failure
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

/** Quotes a word of a command line, where `$` would start a variable. */
function argument(text: string): string {
  return quote(text.replaceAll('$', '$$$$'));
}

/** Quotes a word of a unit, where `%` starts a specifier, and quotes and backslashes have a meaning. */
function quote(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /["'\\\s;]/.test(text) ? `"${escaped}"` : escaped;
}

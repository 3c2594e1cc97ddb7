import type { NodeStart } from './node.ts';
import { allSettings, environment, unfinishedFlags } from './settings.ts';
import { PLAIN, shellWord } from './shell-word.ts';

/** Returns a shell command. */
export function flagsText(node: NodeStart): string {
  const before = environment(node).map(([name, value]) => `${name}=${shellWord(value)} `);
  const unfinished = unfinishedFlags(node);
  const flags = allSettings(node).map(
    ([flag, value]) => `--${flag}=${unfinished.has(flag) ? value : shellWord(value)}`,
  );
  return `${before.join('')}etcd \\\n  ${flags.join(' \\\n  ')}\n`;
}

/** Returns a file of variables for a shell, or for systemd's EnvironmentFile. */
export function envText(node: NodeStart): string {
  const unfinished = unfinishedFlags(node);
  const lines = [
    ...allSettings(node).map(
      ([flag, value]) => `${variableOf(flag)}=${unfinished.has(flag) ? value : fileWord(value)}\n`,
    ),
    ...environment(node).map(([name, value]) => `${name}=${fileWord(value)}\n`),
  ];
  return `# For a shell: set -a; . ./etcd.env; etcd. For systemd: EnvironmentFile=/etc/etcd.env\n${lines.join('')}`;
}

function variableOf(flag: string): string {
  return `ETCD_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Quotes a value so that shells and systemd read it alike: they differ about an apostrophe inside single
 * quotes.
 */
function fileWord(text: string): string {
  return PLAIN.test(text) ? text : `"${text.replaceAll(/["\\$`]/g, '\\$&')}"`;
}

import type { AnyFlag } from '../../settings/tables/flag.ts';
import type { Command } from '../command.ts';

export function fishScript(commands: readonly Command[]): string {
  const lines = [
    '# etcd-discovery for fish: etcd-discovery completion fish | source',
    'complete -c etcd-discovery -f',
  ];
  for (const { name, summary } of commands) {
    lines.push(`complete -c etcd-discovery -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`);
  }
  lines.push(
    'complete -c etcd-discovery -s h -l help -d "show the help"',
    'complete -c etcd-discovery -n __fish_use_subcommand -l version -d "show the version"',
  );
  for (const { name, flags, argument } of commands) {
    const here = `complete -c etcd-discovery -n '__fish_seen_subcommand_from ${name}'`;
    if (argument === 'FILE') lines.push(`${here} -F`);
    else if (argument !== undefined) lines.push(`${here} -a ${quote(argument.join(' '))}`);
    for (const flag of flags) lines.push(`${here} ${flagOf(flag)}`);
  }
  return `${lines.join('\n')}\n`;
}

function flagOf({ flag, short, value, words, help }: AnyFlag): string {
  const parts = [`-l ${flag}`, ...(short === undefined ? [] : [`-s ${short}`])];
  if (words !== undefined) parts.push(`-x -a ${quote(words.join(' '))}`);
  else if (value === 'FILE') parts.push('-r -F');
  else if (value === 'DIR') parts.push("-x -a '(__fish_complete_directories)'");
  else if (value !== undefined) parts.push('-x');
  return [...parts, `-d ${quote(help)}`].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

import { didYouMean } from '../values/nearest.ts';
import { quote } from '../values/quote.ts';
import { CATALOG, type CatalogRow } from './catalog.ts';
import type { BareTerminal, Terminal } from './command.ts';
import { withStatusLine } from './text/status-line.ts';

/**
 * Runs the command named in the arguments. Returns the exit code: 0, 1 for a failure, 2 for a usage error.
 */
export async function run(args: readonly string[], bare: BareTerminal): Promise<number> {
  const terminal = withStatusLine(bare);
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
      terminal.err(help());
      return 2;
    case 'help':
    case '--help':
    case '-h': {
      const [about] = rest;
      if (about !== undefined && !about.startsWith('-')) return runCommand(about, ['--help'], terminal);
      terminal.out(help());
      return 0;
    }
    case '--version':
      return runCommand('version', rest, terminal);
    default:
      return runCommand(name, rest, terminal);
  }
}

async function runCommand(name: string, args: readonly string[], terminal: Terminal): Promise<number> {
  const row = CATALOG.find((each) => each.name === name);
  if (row !== undefined) return (await row.load()).run(args, terminal);
  terminal.err(`etcd-discovery: ${await whyUnknown(name)}\n`);
  return 2;
}

const SEE = '; see etcd-discovery --help';

/** Recognises flags of `serve`, because etcd's own discovery service is started with flags only. */
async function whyUnknown(name: string): Promise<string> {
  if (!name.startsWith('-')) {
    const names = [...CATALOG.map((each) => each.name), 'help'];
    return `unknown command ${quote(name)}${didYouMean(name, names) || SEE}`;
  }
  const flag = /^--?([a-z-]+)/.exec(name)?.[1];
  const serve = await CATALOG.find((each) => each.name === 'serve')?.load();
  const isOfServe = serve?.flags.some((each) => each.flag === flag || each.old?.flag === flag) === true;
  if (isOfServe) return `${quote(name)} is a flag of serve; use etcd-discovery serve --${flag}${SEE}`;
  return `unknown flag ${quote(name)}${didYouMean(name, ['--help', '--version']) || SEE}`;
}

function help(): string {
  const width = Math.max(...CATALOG.map(({ name }) => name.length)) + 2;
  const line = ({ name, summary }: CatalogRow): string => `  ${name.padEnd(width)}${summary}\n`;
  const groups = [...new Set(CATALOG.map(({ group }) => group))].map((group) => {
    const rows = CATALOG.filter((row) => row.group === group);
    return `${group}:\n${rows.map(line).join('')}`;
  });
  return `A discovery service that lets the nodes of a new etcd cluster find each other.

Usage: etcd-discovery COMMAND [flags]

${groups.join('\n')}
Flags:
  -h, --help  show this help, or the help of a command: etcd-discovery serve --help
  --version   show the version
`;
}

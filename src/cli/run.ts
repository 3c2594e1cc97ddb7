import { readVersion } from '../server/version.ts';
import { serve } from './serve.ts';

/** Where a command reads and writes. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface Command {
  readonly summary: string;
  /** Returns the exit code. */
  readonly run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: { summary: 'run the discovery service', run: serve },
};

/** Runs the command that the arguments name. Returns the exit code: 0, 1 for a failure, 2 for a wrong call. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case undefined:
      terminal.err(help());
      return 2;
    case 'help':
    case '--help':
    case '-h':
      terminal.out(help());
      return 0;
    case '--version':
      terminal.out(`etcd-discovery ${readVersion()}\n`);
      return 0;
    default: {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (command !== undefined) return command.run(rest, terminal);
      const what = name.startsWith('-') ? 'flag' : 'command';
      terminal.err(
        `etcd-discovery: ${JSON.stringify(name)}: there is no such ${what}; see etcd-discovery --help\n`,
      );
      return 2;
    }
  }
}

function help(): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `The nodes of a new etcd cluster find each other through this service.

Usage: etcd-discovery COMMAND [flags]

Commands:
${commands.join('\n')}

Flags:
  -h, --help  show this help, or that of a command: etcd-discovery serve --help
  --version   show the version
`;
}

import { SETTINGS } from '../../settings/settings.ts';
import type { Command, FlagShape } from '../command.ts';
import { OUTPUT } from '../output.ts';
import { settingFlags } from '../serve.ts';
import { settingLines } from '../serve-help.ts';
import { type Arguments, type Call, ownLines, readArguments, STORE_SETTINGS } from './arguments.ts';

const FROM_OLD = 'from-discoveryserver';

const FLAGS: readonly FlagShape[] = [
  { flag: 'dry-run', help: 'Look what would be imported, and write nothing.' },
  {
    flag: FROM_OLD,
    value: 'URL',
    help: 'The etcd of a Go discovery service, whose tokens are imported. They live for --ttl since they were made, or from now where it does not know.',
  },
];

const SETTINGS_USED = [
  ...STORE_SETTINGS,
  SETTINGS.ttl,
  SETTINGS.maxTtl,
  SETTINGS.maxSize,
  SETTINGS.maxTokens,
];

const CALL: Call = {
  name: 'import',
  flags: FLAGS,
  settings: SETTINGS_USED,
  help: `Put the tokens of an export into a store, with their members in the same order and all
times as they were.

Usage: etcd-discovery import FILE [flags]
       etcd-discovery import - [flags]           from standard input
       etcd-discovery import --${FROM_OLD} URL [flags]

Nothing is ever overwritten: a token that the store has already, and that differs, is told and
left alone. An import that was stopped can be run again, and goes on where it was. Tokens that
have expired are left out. Import before nodes use the tokens at the new place.

Flags:
${ownLines(FLAGS)}
${settingLines(SETTINGS_USED)}

The exit code is 0 when every live token is in the store, 1 when some are not (conflicts, bad
lines, a file that was cut short, a failure), and 2 for a wrong call.

Examples:
  etcd-discovery import tokens.jsonl --dry-run --etcd http://127.0.0.1:2379
  etcd-discovery import tokens.jsonl --etcd http://127.0.0.1:2379
  etcd-discovery import --${FROM_OLD} http://127.0.0.1:2379 --data-dir /var/lib/etcd-discovery
`,
};

/** Puts tokens into a store, from a file or from the Go service's etcd. */
export const IMPORT: Command = {
  name: 'import',
  group: 'Data',
  summary: 'put the tokens of an export, or of a Go discovery service, into a store',
  flags: [...FLAGS, ...settingFlags(SETTINGS_USED), OUTPUT],
  argument: 'FILE',
  async run(args, terminal) {
    const read = readArguments(CALL, args, terminal, wrongWords);
    if (typeof read === 'number') return read;
    const url = read.flags.get(FROM_OLD);
    const from =
      url === undefined ? { file: read.words[0] ?? '-' } : { discoveryserver: url.replace(/\/$/, '') };
    // Loaded here, so that help and a wrong call are answered at once.
    const { runImport } = await import('./run-import.ts');
    return runImport(from, { config: read.config, isDryRun: read.flags.has('dry-run') }, read.report);
  },
};

function wrongWords({ words, flags }: Arguments): string | undefined {
  const url = flags.get(FROM_OLD);
  if (url === undefined) {
    return words.length === 1 ? undefined : 'import needs the name of one file, or - for standard input';
  }
  if (words.length > 0) return `--${FROM_OLD} takes the place of the file`;
  if (/^https?:\/\/[^/@?#]+\/?$/.test(url) && URL.canParse(url)) return undefined;
  return `--${FROM_OLD} takes the URL of an etcd, like http://127.0.0.1:2379`;
}

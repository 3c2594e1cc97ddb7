import type { Command, FlagShape } from '../command.ts';
import { OUTPUT } from '../output.ts';
import { settingFlags } from '../serve.ts';
import { settingLines } from '../serve-help.ts';
import { type Arguments, type Call, ownLines, readArguments, STORE_SETTINGS } from './arguments.ts';

const FLAGS: readonly FlagShape[] = [{ flag: 'dry-run', help: 'Count what would be written.' }];

const CALL: Call = {
  name: 'export',
  flags: FLAGS,
  settings: STORE_SETTINGS,
  help: `Write the live tokens of a store, with their members and times, to a file for
etcd-discovery import.

Usage: etcd-discovery export FILE [flags]
       etcd-discovery export - [flags]           to standard output
       etcd-discovery export --dry-run [flags]

The file must not exist yet. It has one line of JSON for each token, between a first and a
last one by which it is known to be whole. Who can read it can use the tokens: only its owner
may. Stop the service first, so that nobody registers behind your back; the embedded store
makes sure of that.

Flags:
${ownLines(FLAGS)}
${settingLines(STORE_SETTINGS)}

The exit code is 0, 1 when it failed, and 2 for a wrong call.

Examples:
  etcd-discovery export tokens.jsonl --data-dir /var/lib/etcd-discovery
  etcd-discovery export - --etcd http://127.0.0.1:2379 | ssh other etcd-discovery import -
`,
};

/** Writes live tokens to a file that every store can import. */
export const EXPORT: Command = {
  name: 'export',
  group: 'Data',
  summary: 'write the live tokens of a store to a file',
  flags: [...FLAGS, ...settingFlags(STORE_SETTINGS), OUTPUT],
  argument: 'FILE',
  async run(args, terminal) {
    const read = readArguments(CALL, args, terminal, wrongWords);
    if (typeof read === 'number') return read;
    // Loaded here, so that help and a wrong call are answered at once.
    const { runExport } = await import('./run-export.ts');
    return runExport(read.words[0], read.config, read.report);
  },
};

function wrongWords({ words, flags }: Arguments): string | undefined {
  if (words.length > 1) return `export writes one file, not ${words.length}`;
  if (flags.has('dry-run')) return words.length === 0 ? undefined : 'with --dry-run no file is written';
  return words.length === 1
    ? undefined
    : 'export needs the name of a file to write, or - for standard output';
}

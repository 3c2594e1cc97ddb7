import { SETTINGS } from '../../settings/settings.ts';
import type { Command } from '../command.ts';
import { OUTPUT } from '../output.ts';
import { settingFlags } from '../serve.ts';
import { settingLines } from '../serve-help.ts';
import { type Call, ownLines, readArguments } from './arguments.ts';
import { embedded } from './embedded.ts';

const SETTINGS_USED = [SETTINGS.dataDir];

const CALL: Call = {
  name: 'backup',
  flags: [],
  settings: SETTINGS_USED,
  help: `Copy the data directory of the embedded store to a file, while the service runs or not.

Usage: etcd-discovery backup FILE [flags]

The file must not exist yet. It is the data as it stands at one moment, with every write that
was acknowledged before, and it is checked before it gets its name. Who can read it can use
the tokens: only its owner may. It is as large as the data file. (The etcd store is backed up
with etcd's own means: etcdctl snapshot save.)

Flags:
${ownLines([])}
${settingLines(SETTINGS_USED)}

The exit code is 0, 1 when it failed or the data is damaged, and 2 for a wrong call.

Examples:
  etcd-discovery backup "backup-$(date +%F).mdb" --data-dir /var/lib/etcd-discovery
`,
};

/** Copies the embedded store's data to a file. */
export const BACKUP: Command = {
  name: 'backup',
  group: 'Data',
  summary: "copy the embedded store's data to a file, while the service runs",
  flags: [...settingFlags(SETTINGS_USED), OUTPUT],
  argument: 'FILE',
  async run(args, terminal) {
    const read = readArguments(CALL, args, terminal, ({ words, config }) =>
      words.length === 1 ? embedded('backup', config) : 'backup needs the name of one file to write',
    );
    if (typeof read === 'number') return read;
    // Loaded here, so that help and a wrong call are answered at once.
    const { runBackup } = await import('./run-embedded.ts');
    return runBackup(read.words[0] ?? '', read.config, read.report);
  },
};

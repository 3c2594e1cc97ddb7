import { SETTINGS } from '../../settings/settings.ts';
import type { Command, FlagShape } from '../command.ts';
import { OUTPUT } from '../output.ts';
import { settingFlags } from '../serve.ts';
import { settingLines } from '../serve-help.ts';
import { type Call, ownLines, readArguments } from './arguments.ts';
import { embedded } from './embedded.ts';

const SETTINGS_USED = [SETTINGS.dataDir];

const FLAGS: readonly FlagShape[] = [
  { flag: 'replace', help: 'Restore over data that is there, which is kept aside in the same directory.' },
];

const CALL: Call = {
  name: 'restore',
  flags: FLAGS,
  settings: SETTINGS_USED,
  help: `Put a backup into a data directory of the embedded store.

Usage: etcd-discovery restore FILE [flags]

The service must be stopped. The backup is checked first, and nothing is changed when it is
not whole. Registrations that came after the backup are lost, and their nodes have to register
again: restart those that still wait. Revisions go on far past those of the backup, so that
none is given out twice.

Flags:
${ownLines(FLAGS)}
${settingLines(SETTINGS_USED)}

The exit code is 0, 1 when it failed, and 2 for a wrong call.

Examples:
  etcd-discovery restore backup-2026-01-31.mdb --data-dir /var/lib/etcd-discovery
`,
};

/** Puts a backup into a data directory. */
export const RESTORE: Command = {
  name: 'restore',
  group: 'Data',
  summary: 'put a backup into a data directory',
  flags: [...FLAGS, ...settingFlags(SETTINGS_USED), OUTPUT],
  argument: 'FILE',
  async run(args, terminal) {
    const read = readArguments(CALL, args, terminal, ({ words, config }) =>
      words.length === 1 ? embedded('restore', config) : 'restore needs the name of one backup',
    );
    if (typeof read === 'number') return read;
    const { runRestore } = await import('./run-embedded.ts');
    return runRestore(read.words[0] ?? '', read.flags.has('replace'), read.config, read.report);
  },
};

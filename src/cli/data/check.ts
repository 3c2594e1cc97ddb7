import { SETTINGS } from '../../settings/settings.ts';
import type { Command } from '../command.ts';
import { OUTPUT } from '../output.ts';
import { settingFlags } from '../serve.ts';
import { settingLines } from '../serve-help.ts';
import { type Call, ownLines, readArguments } from './arguments.ts';
import { embedded } from './embedded.ts';

const SETTINGS_USED = [SETTINGS.dataDir];

const CALL: Call = {
  name: 'check',
  flags: [],
  settings: SETTINGS_USED,
  help: `Check the data of the embedded store, or a backup of it, and change nothing.

Usage: etcd-discovery check [flags]             the data directory
       etcd-discovery check FILE                a backup

Every page of the file is looked at, every record is read, and records, events, the index by
which tokens are removed and the revision counter must agree. While the service runs the pages
cannot be looked at, as they change: check a backup then.

Flags:
${ownLines([])}
${settingLines(SETTINGS_USED)}

The exit code is 0 when all is well, 1 when something is wrong, and 2 for a wrong call.

Examples:
  etcd-discovery check --data-dir /var/lib/etcd-discovery
  etcd-discovery check backup-2026-01-31.mdb
`,
};

/** Checks the embedded store's data, or a backup. */
export const CHECK: Command = {
  name: 'check',
  group: 'Data',
  summary: "check the embedded store's data, or a backup",
  flags: [...settingFlags(SETTINGS_USED), OUTPUT],
  argument: 'FILE',
  async run(args, terminal) {
    const read = readArguments(CALL, args, terminal, ({ words, config }) => {
      if (words.length > 1) return 'check takes one backup, or none for the data directory';
      return words.length === 1 ? undefined : embedded('check', config);
    });
    if (typeof read === 'number') return read;
    const { runCheck } = await import('./run-embedded.ts');
    return runCheck(read.words[0], read.config, read.report);
  },
};

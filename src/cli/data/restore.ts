import { resolve } from 'node:path';
import { counted } from '../../values/counted.ts';
import { dataCommand } from '../data-command.ts';
import { ROWS } from '../rows.ts';
import { reportContents } from './contents.ts';
import { dataDirectory, wrongStoreFor } from './open-store.ts';

/** Restores a backup into a data directory. */
export const RESTORE = dataCommand({
  ...ROWS.restore,
  intro: 'Restore a backup into a data directory of the embedded store.',
  usage: ['restore FILE [flags]'],
  details: `Stop the service first. If the backup is damaged, nothing is changed. Registrations after the
backup are lost. A token whose cluster was assembling in the backup is therefore closed: the
cluster may have formed since with a node that is not in the backup, and another node must not
take its place. The nodes of such a token get an error that asks for a new token. Revisions
continue far beyond those of the backup, so that no revision is used twice.`,
  flags: {
    replace: {
      flag: 'replace',
      help: 'Replace existing data. The old data is kept in the same directory.',
    },
    keepAssembling: {
      flag: 'keep-assembling',
      help: 'Keep the tokens of clusters that were assembling open. Use it only if no node has registered since the backup.',
    },
  },
  settings: ['dataDir'],
  exitCodes: 'Exit codes: 0 success, 1 failure, 2 usage error.',
  examples: ['restore backup-2026-01-31.mdb --data-dir /var/lib/etcd-discovery'],
  wrong: ({ words, config }) =>
    words.length === 1 ? wrongStoreFor('restore', config) : 'restore requires the name of one backup',
  run({ words: [file = ''], flags, config, report }) {
    return reportContents(report, async () => {
      const { restore } = await import('../../store/lmdb/care/restore.ts');
      const dataDir = resolve(dataDirectory(config));
      const { before, closedTokens, ...contents } = await restore(file, dataDir, flags);
      const kept = before === undefined ? [] : [`kept the old data as ${before}`];
      const closed =
        closedTokens === 0
          ? []
          : [
              `closed ${counted(closedTokens, 'token')} of clusters that were assembling: create a new token for each of them`,
            ];
      const fields = { dataDir, closedTokens, ...(before !== undefined && { before }) };
      return { lines: [`restored to ${dataDir}`, ...kept, ...closed], fields, contents };
    });
  },
});

import { resolve } from 'node:path';
import { counted } from '../../values/counted.ts';
import { dataCommand } from '../data-command.ts';
import { reportContents } from './contents.ts';
import { dataDirectory, wrongStoreFor } from './open-store.ts';

/** Puts a backup into a data directory. */
export const RESTORE = dataCommand({
  name: 'restore',
  summary: 'put a backup into a data directory',
  intro: 'Put a backup into a data directory of the embedded store.',
  usage: ['restore FILE [flags]'],
  details: `The service must be stopped. The backup is checked first, and nothing is changed when it is
not whole. Registrations that came after the backup are lost, so a token whose cluster was
assembling in the backup is closed: its cluster may have formed since with a node that the
backup does not have, and another node must not take that place. Its nodes are told to use a
new token; --keep-assembling leaves such tokens open. Revisions go on far past those of the
backup, so that none is given out twice.`,
  flags: {
    replace: {
      flag: 'replace',
      help: 'Restore over data that is there, which is kept aside in the same directory.',
    },
    keepAssembling: {
      flag: 'keep-assembling',
      help: 'Keep tokens open whose clusters were assembling: only when no node has registered since the backup.',
    },
  },
  settings: ['dataDir'],
  exitCodes: 'The exit code is 0, 1 when it failed, and 2 for a wrong call.',
  examples: ['restore backup-2026-01-31.mdb --data-dir /var/lib/etcd-discovery'],
  wrong: ({ words, config }) =>
    words.length === 1 ? wrongStoreFor('restore', config) : 'restore needs the name of one backup',
  run({ words: [file = ''], flags, config, report }) {
    return reportContents(report, async () => {
      const { restore } = await import('../../store/lmdb/care/restore.ts');
      const dataDir = resolve(dataDirectory(config));
      const { before, closedTokens, ...contents } = await restore(file, dataDir, flags);
      const kept = before === undefined ? [] : [`the data before is kept as ${before}`];
      const closed =
        closedTokens === 0
          ? []
          : [
              `closed ${counted(closedTokens, 'token')} of clusters that were assembling: each such cluster needs a new token`,
            ];
      const fields = { dataDir, closedTokens, ...(before !== undefined && { before }) };
      return { lines: [`restored to ${dataDir}`, ...kept, ...closed], fields, contents };
    });
  },
});

import { resolve } from 'node:path';
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
not whole. Registrations that came after the backup are lost, and their nodes have to register
again: restart those that still wait. Revisions go on far past those of the backup, so that
none is given out twice.`,
  flags: {
    replace: {
      flag: 'replace',
      help: 'Restore over data that is there, which is kept aside in the same directory.',
    },
  },
  settings: ['dataDir'],
  exitCodes: 'The exit code is 0, 1 when it failed, and 2 for a wrong call.',
  examples: ['restore backup-2026-01-31.mdb --data-dir /var/lib/etcd-discovery'],
  wrong: ({ words, config }) =>
    words.length === 1 ? wrongStoreFor('restore', config) : 'restore needs the name of one backup',
  async run({ words: [file = ''], flags: { replace }, config, report }) {
    const { restore } = await import('../../store/lmdb/care/restore.ts');
    return reportContents(report, async () => {
      const dataDir = resolve(dataDirectory(config));
      const { before, ...contents } = await restore(file, dataDir, { replace });
      const kept = before === undefined ? [] : [`the data before is kept as ${before}`];
      const fields = { dataDir, ...(before !== undefined && { before }) };
      return { lines: [`restored to ${dataDir}`, ...kept], fields, contents };
    });
  },
});

import { dataCommand } from '../data-command.ts';
import { reportContents } from './contents.ts';
import { requireData, wrongStoreFor } from './open-store.ts';

/** Checks the embedded store's data, or a backup. */
export const CHECK = dataCommand({
  name: 'check',
  summary: "check the embedded store's data, or a backup",
  intro: 'Check the data of the embedded store, or a backup of it, and change nothing.',
  usage: ['check [flags]             the data directory', 'check FILE                a backup'],
  details: `Every page of the file is looked at, every record is read, and records, events, the index by
which tokens are removed and the revision counter must agree. While the service runs the pages
cannot be looked at, as they change: check a backup then.`,
  flags: {},
  settings: ['dataDir'],
  exitCodes: 'The exit code is 0 when all is well, 1 when something is wrong, and 2 for a wrong call.',
  examples: ['check --data-dir /var/lib/etcd-discovery', 'check backup-2026-01-31.mdb'],
  wrong({ words, config }) {
    if (words.length > 1) return 'check takes one backup, or none for the data directory';
    return words.length === 1 ? undefined : wrongStoreFor('check', config);
  },
  run({ words: [file], config, report }) {
    return reportContents(report, async () => {
      const { inspectDirectory, inspectFile } = await import('../../store/lmdb/care/inspect.ts');
      if (file !== undefined) return { lines: [], fields: { file }, contents: await inspectFile(file) };
      const dataDir = requireData(config);
      const { isInUse, ...contents } = await inspectDirectory(dataDir);
      const note = 'the service is running: its records were checked, and not the pages of its file';
      return { lines: isInUse ? [note] : [], fields: { dataDir, isInUse }, contents };
    });
  },
});

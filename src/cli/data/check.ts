import { dataCommand } from '../data-command.ts';
import { ROWS } from '../rows.ts';
import { reportContents } from './contents.ts';
import { requireData, wrongStoreFor } from './open-store.ts';

/** Checks the embedded store's data, or a backup. */
export const CHECK = dataCommand({
  ...ROWS.check,
  intro: 'Check the data of the embedded store, or a backup of it, without changing anything.',
  usage: ['check [flags]             the data directory', 'check FILE                a backup'],
  details: `The command checks every page of the file, reads every record, and compares the records with the
events, the index of end times and the revision counter. While the service is running, the file
changes and cannot be checked: check a backup instead.`,
  flags: {},
  settings: ['dataDir'],
  exitCodes: 'Exit codes: 0 no damage, 1 damage or failure, 2 usage error.',
  examples: ['check --data-dir /var/lib/etcd-discovery', 'check backup-2026-01-31.mdb'],
  wrong({ words, config }) {
    if (words.length > 1) return 'check takes at most one backup; without one it checks the data directory';
    return words.length === 1 ? undefined : wrongStoreFor('check', config);
  },
  run({ words: [file], config, report }) {
    return reportContents(report, async () => {
      const { inspectDirectory, inspectFile } = await import('../../store/lmdb/care/inspect.ts');
      if (file !== undefined) return { lines: [], fields: { file }, contents: await inspectFile(file) };
      const dataDir = requireData(config);
      const { isInUse, ...contents } = await inspectDirectory(dataDir);
      const note = 'the service is running: only its records were checked, not the pages of its file';
      return { lines: isInUse ? [note] : [], fields: { dataDir, isInUse }, contents };
    });
  },
});

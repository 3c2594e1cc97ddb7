import { statSync } from 'node:fs';
import { dataCommand } from '../data-command.ts';
import { ROWS } from '../rows.ts';
import { reportContents } from './contents.ts';
import { placeOfData, wrongStoreFor } from './open-store.ts';

/** Copies the embedded store's data to a file. */
export const BACKUP = dataCommand({
  ...ROWS.backup,
  intro: 'Copy the data of the embedded store to a file. The service can be running or stopped.',
  usage: ['backup FILE [flags]'],
  details: `The backup file must not exist yet. It becomes a consistent copy with every write that was
acknowledged before the command began. The command checks the copy before renaming it to FILE.
The file contains the tokens, so only its owner can read it. It is as large as the data file. If
the data file is deleted while the service uses it, the backup still contains its data. To back up the etcd store, use etcdctl snapshot save.`,
  flags: {},
  settings: ['dataDir'],
  exitCodes: 'Exit codes: 0 success, 1 failure or damaged data, 2 usage error.',
  examples: ['backup "backup-$(date +%F).mdb" --data-dir /var/lib/etcd-discovery'],
  wrong: ({ words, config }) =>
    words.length === 1 ? wrongStoreFor('backup', config) : 'backup requires the name of one file to write',
  run({ words: [file = ''], config, report }) {
    return reportContents(report, async () => {
      const { backUp } = await import('../../store/lmdb/care/backup.ts');
      // Data removed from the directory may still be open in a running service.
      const contents = await backUp(await placeOfData(config), file);
      const bytes = statSync(file).size;
      return { lines: [`backed up to ${file}, ${bytes} bytes`], fields: { file, bytes }, contents };
    });
  },
});

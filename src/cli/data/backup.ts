import { statSync } from 'node:fs';
import { dataCommand } from '../data-command.ts';
import { reportContents } from './contents.ts';
import { placeOfData, wrongStoreFor } from './open-store.ts';

/** Copies the embedded store's data to a file. */
export const BACKUP = dataCommand({
  name: 'backup',
  summary: "copy the embedded store's data to a file, while the service runs",
  intro: 'Copy the data directory of the embedded store to a file, while the service runs or not.',
  usage: ['backup FILE [flags]'],
  details: `The file must not exist yet. It is the data as it stands at one moment, with every write that
was acknowledged before, and it is checked before it gets its name. Who can read it can use
the tokens: only its owner may. It is as large as the data file. When the data file was removed
while the service uses it, the file is what the service still has open. (The etcd store is backed up
with etcd's own means: etcdctl snapshot save.)`,
  flags: {},
  settings: ['dataDir'],
  exitCodes: 'The exit code is 0, 1 when it failed or the data is damaged, and 2 for a wrong call.',
  examples: ['backup "backup-$(date +%F).mdb" --data-dir /var/lib/etcd-discovery'],
  wrong: ({ words, config }) =>
    words.length === 1 ? wrongStoreFor('backup', config) : 'backup needs the name of one file to write',
  run({ words: [file = ''], config, report }) {
    return reportContents(report, async () => {
      const { backUp } = await import('../../store/lmdb/care/backup.ts');
      // What is no longer in the directory may still be open.
      const contents = await backUp(await placeOfData(config), file);
      const bytes = statSync(file).size;
      return { lines: [`backed up to ${file}, ${bytes} bytes`], fields: { file, bytes }, contents };
    });
  },
});

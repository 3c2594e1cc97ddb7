import { open, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { OnDamaged } from '../../discovery/store.ts';
import { millis } from '../../discovery/types.ts';
import type { ExportCounts } from '../../moving/export.ts';
import type { Config } from '../../settings/config.ts';
import { tokenProblem } from '../../values/token-problem.ts';
import { dataCommand, STORE_SETTINGS } from '../data-command.ts';
import { EXIT } from '../exit.ts';
import { storeOf } from './open-store.ts';
import { type Report, tokens } from './report.ts';

const PIECE_LENGTH = 65_536;

/** Writes live tokens to a file that every store can import. */
export const EXPORT = dataCommand({
  name: 'export',
  summary: 'write the live tokens of a store to a file',
  intro: `Write the live tokens of a store, with their members and times, to a file for
etcd-discovery import.`,
  usage: ['export FILE [flags]', 'export - [flags]           to standard output', 'export --dry-run [flags]'],
  details: `The file must not exist yet. It has one line of JSON for each token, between a first and a
last one by which it is known to be whole. Who can read it can use the tokens: only its owner
may. Stop the service first, so that nobody registers behind your back; the embedded store
makes sure of that. A token whose data is damaged is named, and left out.`,
  flags: { dryRun: { flag: 'dry-run', help: 'Count what would be written.' } },
  settings: STORE_SETTINGS,
  exitCodes: 'The exit code is 0, 1 when it failed or left damaged tokens out, and 2 for a wrong call.',
  examples: [
    'export tokens.jsonl --data-dir /var/lib/etcd-discovery',
    'export - --etcd http://127.0.0.1:2379 | ssh other etcd-discovery import -',
  ],
  wrong({ words, flags }) {
    if (words.length > 1) return `export writes one file, not ${words.length}`;
    if (flags.dryRun) return words.length === 0 ? undefined : 'with --dry-run no file is written';
    return words.length === 1
      ? undefined
      : 'export needs the name of a file to write, or - for standard output';
  },
  run: ({ words: [file], config, report }) => writeExport(file, config, report),
});

/** To a file that is not there yet, or to standard output (`-`); without one it only counts. */
async function writeExport(file: string | undefined, config: Config, report: Report): Promise<number> {
  const counts: ExportCounts = { exported: 0, members: 0, expired: 0, deleted: 0, closed: 0, damaged: 0 };
  try {
    const { exportLines } = await import('../../moving/export.ts');
    const store = await storeOf(config, report, 'REFUSE');
    try {
      const onDamaged: OnDamaged = (token, { message }) => report.problem(tokenProblem(token, message));
      const lines = exportLines(store, millis(Date.now()), counts, onDamaged);
      if (file === undefined) for await (const _ of lines);
      else if (file === '-') await pipeline(Readable.from(gathered(lines)), process.stdout, { end: false });
      else await writeNew(file, lines);
    } finally {
      await store.close();
    }
  } catch (error) {
    return report.failed(error);
  }
  const { exported, members, expired, deleted, closed, damaged } = counts;
  const lines = [
    `${file === undefined ? 'would export' : 'exported'}: ${tokens(exported, members)}`,
    `left out: ${expired} expired, ${deleted} deleted, ${closed} closed, ${damaged} damaged`,
  ];
  report.result(lines, { dryRun: file === undefined, ...counts }, file === '-' ? 'err' : 'out');
  return damaged === 0 ? EXIT.DONE : EXIT.FAILED;
}

/** On disk when this resolves. A part of a file is not left behind. */
async function writeNew(file: string, lines: AsyncIterable<string>): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await writeFile(handle, gathered(lines));
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** In pieces that are worth a write. */
async function* gathered(lines: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

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
import { ROWS } from '../rows.ts';
import { storeOf } from './open-store.ts';
import { type Report, tokens } from './report.ts';

const PIECE_LENGTH = 65_536;

/** Writes live tokens to a file that every store can import. */
export const EXPORT = dataCommand({
  ...ROWS.export,
  intro: `Write the live tokens of a store, with their members and times, to a file for
etcd-discovery import.`,
  usage: ['export FILE [flags]', 'export - [flags]           to standard output', 'export --dry-run [flags]'],
  details: `The file must not exist yet. It has one line of JSON per token, between a header and a last
line that shows that it is complete. It contains the tokens, so only its owner can read it.
Stop the service first, so that no node registers meanwhile. With the embedded store, the command
fails while the service runs.
Tokens whose data is damaged are reported and left out.`,
  flags: { dryRun: { flag: 'dry-run', help: 'Only count what would be exported.' } },
  settings: STORE_SETTINGS,
  exitCodes: 'Exit codes: 0 success, 1 failure or damaged tokens left out, 2 usage error.',
  examples: [
    'export tokens.jsonl --data-dir /var/lib/etcd-discovery',
    'export - --etcd http://127.0.0.1:2379 | ssh other etcd-discovery import -',
  ],
  wrong({ words, flags }) {
    if (words.length > 1) return `export writes one file, not ${words.length}`;
    if (flags.dryRun)
      return words.length === 0 ? undefined : 'with --dry-run no file is written; omit its name';
    return words.length === 1
      ? undefined
      : 'export requires the name of a file to write, or - for standard output';
  },
  run: ({ words: [file], config, report }) => writeExport(file, config, report),
});

/** Writes to a new file or to standard output (`-`). Without a file it only counts. */
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

/** Resolves when the file is on disk. An incomplete file is removed. */
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

/** Combines lines into larger writes. */
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

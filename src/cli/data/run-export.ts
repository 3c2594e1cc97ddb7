import { open, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { millis } from '../../discovery/types.ts';
import { type ExportCounts, exportLines } from '../../moving/export.ts';
import type { Config } from '../../settings/config.ts';
import { tokens } from './count.ts';
import { storeOf } from './open-store.ts';
import type { Report } from './report.ts';

const PIECE_LENGTH = 65_536;

/** Writes an export to a file that is not there yet, or to standard output (`-`), or only counts. */
export async function runExport(file: string | undefined, config: Config, report: Report): Promise<number> {
  const counts: ExportCounts = { exported: 0, members: 0, expired: 0, deleted: 0 };
  try {
    const store = await storeOf(config, report, 'REFUSE');
    try {
      const lines = exportLines(store, millis(Date.now()), counts);
      if (file === undefined) for await (const _ of lines);
      else if (file === '-') await pipeline(Readable.from(gathered(lines)), process.stdout, { end: false });
      else await writeNew(file, lines);
    } finally {
      await store.close();
    }
  } catch (error) {
    return report.failed(error);
  }
  const { exported, members, expired, deleted } = counts;
  const lines = [
    `${file === undefined ? 'would export' : 'exported'}: ${tokens(exported, members)}`,
    `left out: ${expired} expired, ${deleted} deleted`,
  ];
  report.result(lines, { dryRun: file === undefined, ...counts }, file === '-' ? 'err' : 'out');
  return 0;
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

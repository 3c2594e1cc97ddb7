import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../../settings/config.ts';
import { backUp } from '../../store/lmdb/backup.ts';
import { inspectDirectory, inspectFile } from '../../store/lmdb/check/inspect.ts';
import type { Contents } from '../../store/lmdb/check/records.ts';
import { unavailable } from '../../store/lmdb/fault.ts';
import { restore } from '../../store/lmdb/restore.ts';
import { tokens } from './count.ts';
import { hasData } from './open-store.ts';
import type { Report } from './report.ts';

/** What a command did, in lines for people and in fields for programs, and what is in the data. */
interface Done {
  readonly lines: readonly string[];
  readonly fields: object;
  readonly contents: Contents;
}

/** Says what came of it, unless it fails; problems make the exit code 1. */
async function told(report: Report, work: () => Promise<Done>): Promise<number> {
  try {
    const { lines, fields, contents } = await work();
    const { clusters, members, events, revision, problems } = contents;
    for (const problem of problems) report.problem(problem);
    const found = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const state = problems.length === 0 ? 'all is well' : `${found} found`;
    const counts = `${tokens(clusters, members)} and ${events} events, up to revision ${revision}: ${state}`;
    report.result([...lines, counts], { ...fields, tokens: clusters, members, events, revision });
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    return report.failed(error);
  }
}

export function runBackup(file: string, config: Config, report: Report): Promise<number> {
  return told(report, async () => {
    const contents = await backUp(dataDirectory(config), file);
    const bytes = statSync(file).size;
    return { lines: [`backed up to ${file}, ${bytes} bytes`], fields: { file, bytes }, contents };
  });
}

export function runRestore(file: string, replace: boolean, config: Config, report: Report): Promise<number> {
  return told(report, async () => {
    const { store } = config;
    if (store.type !== 'EMBEDDED') throw new TypeError('another store is none of this');
    const { before, ...contents } = await restore(file, store.dataDir, replace);
    const kept = before === undefined ? [] : [`the data before is kept as ${before}`];
    const dataDir = resolve(store.dataDir);
    const fields = { dataDir, ...(before !== undefined && { before }) };
    return { lines: [`restored to ${dataDir}`, ...kept], fields, contents };
  });
}

export function runCheck(file: string | undefined, config: Config, report: Report): Promise<number> {
  return told(report, async () => {
    if (file !== undefined) return { lines: [], fields: { file }, contents: await inspectFile(file) };
    const dataDir = dataDirectory(config);
    const { isInUse, ...contents } = await inspectDirectory(dataDir);
    const note = 'the service is running: its records were checked, and not the pages of its file';
    return { lines: isInUse ? [note] : [], fields: { dataDir, isInUse }, contents };
  });
}

function dataDirectory({ store }: Config): string {
  if (store.type !== 'EMBEDDED') throw new TypeError('another store is none of this');
  if (hasData(store.dataDir)) return resolve(store.dataDir);
  throw unavailable(`there is no data in ${store.dataDir}; name the data directory with --data-dir`);
}

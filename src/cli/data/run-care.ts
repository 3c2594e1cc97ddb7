import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../../server/config.ts';
import { backUp } from '../../store/lmdb/backup.ts';
import { unavailable } from '../../store/lmdb/fault.ts';
import { inspectDirectory, inspectFile } from '../../store/lmdb/inspect.ts';
import type { Contents } from '../../store/lmdb/records.ts';
import { restore } from '../../store/lmdb/restore.ts';
import type { Terminal } from '../command.ts';
import { tokens } from './count.ts';
import { failed } from './failure.ts';
import { hasData } from './store.ts';

const PROBLEMS_TOLD = 100;

/** Says what came of it, unless it fails; problems make the exit code 1. */
async function told(
  terminal: Terminal,
  work: () => Promise<{ readonly lines: readonly string[]; readonly contents: Contents }>,
): Promise<number> {
  try {
    const { lines, contents } = await work();
    const { clusters, members, events, revision, problems } = contents;
    for (const problem of problems.slice(0, PROBLEMS_TOLD)) terminal.err(`${problem}\n`);
    if (problems.length > PROBLEMS_TOLD) terminal.err(`... and ${problems.length - PROBLEMS_TOLD} more\n`);
    const found = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const state = problems.length === 0 ? 'all is well' : `${found} found`;
    const counts = `${tokens(clusters, members)} and ${events} events, up to revision ${revision}: ${state}`;
    terminal.out(`${[...lines, counts].join('\n')}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    return failed(error, terminal);
  }
}

export function runBackup(file: string, config: Config, terminal: Terminal): Promise<number> {
  return told(terminal, async () => {
    const contents = await backUp(dataDirectory(config), file);
    return { lines: [`backed up to ${file}, ${statSync(file).size} bytes`], contents };
  });
}

export function runRestore(
  file: string,
  replace: boolean,
  config: Config,
  terminal: Terminal,
): Promise<number> {
  return told(terminal, async () => {
    const { store } = config;
    if (store.type !== 'EMBEDDED') throw new TypeError('another store is none of this');
    const { before, ...contents } = await restore(file, store.dataDir, replace);
    const kept = before === undefined ? [] : [`the data before is kept as ${before}`];
    return { lines: [`restored to ${resolve(store.dataDir)}`, ...kept], contents };
  });
}

export function runCheck(file: string | undefined, config: Config, terminal: Terminal): Promise<number> {
  return told(terminal, async () => {
    if (file !== undefined) return { lines: [], contents: await inspectFile(file) };
    const { isInUse, ...contents } = await inspectDirectory(dataDirectory(config));
    const note = 'the service is running: its records were checked, and not the pages of its file';
    return { lines: isInUse ? [note] : [], contents };
  });
}

function dataDirectory({ store }: Config): string {
  if (store.type !== 'EMBEDDED') throw new TypeError('another store is none of this');
  if (hasData(store.dataDir)) return resolve(store.dataDir);
  throw unavailable(`there is no data in ${store.dataDir}; name the data directory with --data-dir`);
}

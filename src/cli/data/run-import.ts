import { createReadStream } from 'node:fs';
import type { Store } from '../../discovery/store.ts';
import { millis } from '../../discovery/types.ts';
import { readDiscoveryserver } from '../../moving/discoveryserver/read.ts';
import { carryInto, type ImportCounts, type Item, importClusters, lookInto } from '../../moving/import.ts';
import { readExport, WrongFile } from '../../moving/read-file.ts';
import type { Config } from '../../settings/config.ts';
import { tokens } from './count.ts';
import { hasData, storeOf } from './open-store.ts';
import type { Report } from './report.ts';

export interface ImportRun {
  readonly config: Config;
  readonly isDryRun: boolean;
}

export type Source = { readonly file: string } | { readonly discoveryserver: string };

/** Imports an export or what the Go service keeps, and says what came of it. */
export async function runImport(
  from: Source,
  { config, isDryRun }: ImportRun,
  report: Report,
): Promise<number> {
  const counts: ImportCounts = { imported: 0, members: 0, there: 0, conflicts: 0, expired: 0, bad: 0 };
  const now = millis(Date.now());
  let code = 0;
  let hasBegun = false;
  try {
    const items = await begun(
      'file' in from ? fileItems(from.file) : oldItems(from.discoveryserver, now, config.policy.defaultTtl),
    );
    const store = await target(config, isDryRun, report);
    hasBegun = true;
    const carry = isDryRun || store === undefined ? lookInto(store) : carryInto(store);
    try {
      await importClusters(items, carry, {
        policy: config.policy,
        now,
        counts,
        report: (line) => report.problem(line),
      });
    } finally {
      await store?.close();
    }
  } catch (error) {
    if (error instanceof WrongFile && 'file' in from) {
      const name = from.file === '-' ? 'standard input' : from.file;
      code = report.wrongFile(`${name} ${error.message}`);
    } else code = report.failed(error, 'file' in from ? from.file : undefined);
  }
  // Whoever writes there may not be done, and would keep this process.
  if ('file' in from && from.file === '-') process.stdin.destroy();
  if (!hasBegun) return code;
  const { imported, members, there, conflicts, expired, bad } = counts;
  const lines = [
    `${isDryRun ? 'would import' : 'imported'}: ${tokens(imported, members)}`,
    `already there: ${there}`,
    `conflicts, left alone: ${conflicts}`,
    `expired, left out: ${expired}`,
    `bad, left out: ${bad}`,
  ];
  report.result(lines, { dryRun: isDryRun, ...counts });
  return code === 0 && conflicts + bad > 0 ? 1 : code;
}

/** A dry run makes no data directory, and writes nothing to etcd. */
async function target(config: Config, isDryRun: boolean, report: Report): Promise<Store | undefined> {
  const { store } = config;
  if (isDryRun && store.type === 'EMBEDDED' && !hasData(store.dataDir)) return undefined;
  return storeOf(config, report, isDryRun ? 'LEAVE' : 'TAKE');
}

/** The same items, once the first is there: a source that is none must not make a store. */
async function begun(items: AsyncGenerator<Item, void, undefined>): Promise<AsyncIterable<Item>> {
  const first = await items.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* items;
  })();
}

async function* fileItems(file: string): AsyncGenerator<Item, void, undefined> {
  yield* readExport(file === '-' ? process.stdin : createReadStream(file));
}

/** All at once: what the Go service keeps ranks its members only when all of them are known. */
async function* oldItems(url: string, now: number, ttl: number): AsyncGenerator<Item, void, undefined> {
  yield* await readDiscoveryserver(url, now, ttl);
}

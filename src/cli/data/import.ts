import { createReadStream } from 'node:fs';
import type { Store } from '../../discovery/store.ts';
import { millis, type Token } from '../../discovery/types.ts';
import type { ImportCounts, Item } from '../../moving/import.ts';
import type { Config } from '../../settings/config.ts';
import { dataCommand, STORE_SETTINGS } from '../data-command.ts';
import { hasData, storeOf } from './open-store.ts';
import { type Report, tokens } from './report.ts';

/** Puts tokens into a store, from a file or from the Go service's etcd. */
export const IMPORT = dataCommand({
  name: 'import',
  summary: 'put the tokens of an export, or of a Go discovery service, into a store',
  intro: `Put the tokens of an export into a store, with their members in the same order and all
times as they were.`,
  usage: [
    'import FILE [flags]',
    'import - [flags]           from standard input',
    'import --from-discoveryserver URL [flags]',
  ],
  details: `Nothing is ever overwritten: a token that the store has already, and that differs, is told and
left alone. An import that was stopped can be run again, and goes on where it was. Tokens that
have expired are left out. Stop the old service first, or take the tokens out of it: a node that
registers there takes a place that another node takes here, and one token makes two clusters.
The tokens of clusters that are assembling are listed.`,
  flags: {
    dryRun: { flag: 'dry-run', help: 'Look what would be imported, and write nothing.' },
    discoveryserver: {
      flag: 'from-discoveryserver',
      value: 'URL',
      takes: 'the URL of an etcd, like http://127.0.0.1:2379',
      parse: parseEtcdUrl,
      help: 'The etcd of a Go discovery service, whose tokens are imported. They live for --ttl since they were made, or from now where it does not know.',
    },
  },
  settings: [...STORE_SETTINGS, 'ttl', 'maxTtl', 'maxSize', 'maxTokens'],
  exitCodes: `The exit code is 0 when every live token is in the store, 1 when some are not (conflicts, bad
lines, a file that was cut short, a failure), and 2 for a wrong call.`,
  examples: [
    'import tokens.jsonl --dry-run --etcd http://127.0.0.1:2379',
    'import tokens.jsonl --etcd http://127.0.0.1:2379',
    'import --from-discoveryserver http://127.0.0.1:2379 --data-dir /var/lib/etcd-discovery',
  ],
  wrong({ words, flags: { discoveryserver } }) {
    if (discoveryserver !== undefined) {
      return words.length === 0 ? undefined : '--from-discoveryserver takes the place of the file';
    }
    return words.length === 1 ? undefined : 'import needs the name of one file, or - for standard input';
  },
  run({ words: [file = '-'], flags: { discoveryserver, dryRun }, config, report }) {
    const from = discoveryserver === undefined ? { file } : { discoveryserver };
    return importFrom(from, { isDryRun: dryRun, config, report });
  },
});

/** Without a slash at its end. */
function parseEtcdUrl(text: string): string | undefined {
  return /^https?:\/\/[^/@?#]+\/?$/.test(text) && URL.canParse(text) ? text.replace(/\/$/, '') : undefined;
}

type Source = { readonly file: string } | { readonly discoveryserver: string };

/** Imports an export or what the Go service keeps, and reports what came of it. */
async function importFrom(
  from: Source,
  { isDryRun, config, report }: { isDryRun: boolean; config: Config; report: Report },
): Promise<number> {
  const [{ carryInto, importClusters, lookInto }, { readExport, WrongFile }] = await Promise.all([
    import('../../moving/import.ts'),
    import('../../moving/read-file.ts'),
  ]);
  const counts: ImportCounts = { imported: 0, members: 0, there: 0, conflicts: 0, expired: 0, bad: 0 };
  const assembling: Token[] = [];
  const now = millis(Date.now());
  let code = 0;
  let hasBegun = false;
  try {
    const items = await begun(
      'file' in from
        ? readExport(from.file === '-' ? process.stdin : createReadStream(from.file))
        : oldItems(from.discoveryserver, now, config.policy.defaultTtl),
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
        onAssembling: (token) => assembling.push(token),
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
    ...assemblingLines(assembling.sort()),
  ];
  report.result(lines, { dryRun: isDryRun, ...counts, assembling });
  return code === 0 && conflicts + bad > 0 ? 1 : code;
}

/** Printed one by one; the JSON output has all. */
const ASSEMBLING_TOLD = 20;

/** A node that still registers at the old service takes a place that another node takes here. */
function assemblingLines(tokens: readonly Token[]): string[] {
  if (tokens.length === 0) return [];
  const more = tokens.length - ASSEMBLING_TOLD;
  return [
    `assembling: ${tokens.length}; the old service must not serve these any more, or one token makes two clusters:`,
    ...tokens.slice(0, ASSEMBLING_TOLD).map((token) => `  ${token}`),
    ...(more > 0 ? [`  ... and ${more} more`] : []),
  ];
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

/** All at once: what the Go service keeps ranks its members only when all of them are known. */
async function* oldItems(url: string, now: number, ttl: number): AsyncGenerator<Item, void, undefined> {
  const { readDiscoveryserver } = await import('../../moving/discoveryserver/read.ts');
  yield* await readDiscoveryserver(url, now, ttl);
}

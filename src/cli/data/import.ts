import { createReadStream } from 'node:fs';
import type { Store } from '../../discovery/store.ts';
import { millis, type Token } from '../../discovery/types.ts';
import type { ImportCounts, Item } from '../../moving/import.ts';
import type { Config } from '../../settings/config.ts';
import { dataCommand, STORE_SETTINGS } from '../data-command.ts';
import { ROWS } from '../rows.ts';
import { hasData, storeOf } from './open-store.ts';
import { type Report, tokens } from './report.ts';

/** Imports tokens into a store, from a file or from the Go service's etcd. */
export const IMPORT = dataCommand({
  ...ROWS.import,
  intro: `Import the tokens of an export into a store, with their members in the same order and all
times unchanged.`,
  usage: [
    'import FILE [flags]',
    'import - [flags]           from standard input',
    'import --from-discoveryserver URL [flags]',
  ],
  details: `An import never overwrites anything. If a token already exists with different contents, it is
reported as a conflict and left unchanged. An interrupted import can be run again and resumes.
Expired tokens are left out. Stop the old service before the export, or remove its tokens after
the import: if nodes register at both services, one token can form two clusters. The tokens of
clusters that are still assembling are listed.`,
  flags: {
    dryRun: { flag: 'dry-run', help: 'Show what would be imported without writing anything.' },
    discoveryserver: {
      flag: 'from-discoveryserver',
      value: 'URL',
      takes: 'the URL of an etcd, like http://127.0.0.1:2379',
      parse: parseEtcdUrl,
      help: 'Import the tokens of a Go discovery service from this etcd. They live for --ttl from their creation, or from now if that time is unknown.',
    },
  },
  settings: [...STORE_SETTINGS, 'ttl', 'maxTtl', 'maxSize', 'maxTokens'],
  exitCodes: `Exit codes: 0 every live token is in the store; 1 some are not (conflicts, invalid lines, a
truncated file, a failure); 2 usage error.`,
  examples: [
    'import tokens.jsonl --dry-run --etcd http://127.0.0.1:2379',
    'import tokens.jsonl --etcd http://127.0.0.1:2379',
    'import --from-discoveryserver http://127.0.0.1:2379 --data-dir /var/lib/etcd-discovery',
  ],
  wrong({ words, flags: { discoveryserver } }) {
    if (discoveryserver !== undefined) {
      return words.length === 0 ? undefined : 'pass either --from-discoveryserver or a file, not both';
    }
    return words.length === 1 ? undefined : 'import requires the name of one file, or - for standard input';
  },
  run({ words: [file = '-'], flags: { discoveryserver, dryRun }, config, report }) {
    const from = discoveryserver === undefined ? { file } : { discoveryserver };
    return importFrom(from, { isDryRun: dryRun, config, report });
  },
});

/** Parses a URL, and removes a trailing slash. */
function parseEtcdUrl(text: string): string | undefined {
  return /^https?:\/\/[^/@?#]+\/?$/.test(text) && URL.canParse(text) ? text.replace(/\/$/, '') : undefined;
}

type Source = { readonly file: string } | { readonly discoveryserver: string };

/** Imports an export or the data of the Go service, and reports the result. */
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
  // The writer of the pipe may not be finished, and would keep this process running.
  if ('file' in from && from.file === '-') process.stdin.destroy();
  if (!hasBegun) return code;
  const { imported, members, there, conflicts, expired, bad } = counts;
  const lines = [
    `${isDryRun ? 'would import' : 'imported'}: ${tokens(imported, members)}`,
    `unchanged, already imported: ${there}`,
    `conflicts, left unchanged: ${conflicts}`,
    `expired, left out: ${expired}`,
    `invalid, left out: ${bad}`,
    ...assemblingLines(assembling.sort()),
  ];
  report.result(lines, { dryRun: isDryRun, ...counts, assembling });
  return code === 0 && conflicts + bad > 0 ? 1 : code;
}

/** The number of tokens printed. The JSON output has all. */
const ASSEMBLING_TOLD = 20;

/**
 * Warns about nodes that still register at the old service: their places may be taken by other nodes here.
 */
function assemblingLines(tokens: readonly Token[]): string[] {
  if (tokens.length === 0) return [];
  const more = tokens.length - ASSEMBLING_TOLD;
  return [
    `assembling: ${tokens.length}; the old service must no longer serve these tokens, or one token forms two clusters:`,
    ...tokens.slice(0, ASSEMBLING_TOLD).map((token) => `  ${token}`),
    ...(more > 0 ? [`  ... and ${more} more`] : []),
  ];
}

/** A dry run creates no data directory and writes nothing to etcd. */
async function target(config: Config, isDryRun: boolean, report: Report): Promise<Store | undefined> {
  const { store } = config;
  if (isDryRun && store.type === 'EMBEDDED' && !hasData(store.dataDir)) return undefined;
  return storeOf(config, report, isDryRun ? 'LEAVE' : 'TAKE');
}

/**
 * Returns the same items after the first has been read, so that an invalid source does not create a store.
 */
async function begun(items: AsyncGenerator<Item, void, undefined>): Promise<AsyncIterable<Item>> {
  const first = await items.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* items;
  })();
}

/** Reads everything at once: the Go service's data yields ranks only when all members are known. */
async function* oldItems(url: string, now: number, ttl: number): AsyncGenerator<Item, void, undefined> {
  const { readDiscoveryserver } = await import('../../moving/discoveryserver/read.ts');
  yield* await readDiscoveryserver(url, now, ttl);
}

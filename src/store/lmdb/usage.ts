import type { Database, RootDatabase } from 'lmdb';
import type { Usage } from './room.ts';

interface Stats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface RootStats extends Stats {
  readonly lastPageNumber: number;
  readonly free: Stats;
}

/** The two pages from which everything else is found. */
const META_PAGES = 2;

/** Returns how much of its file an environment with only these databases uses. */
export function usageOf(env: RootDatabase, databases: ReadonlyArray<Database<unknown>>): Usage {
  env.resetReadTxn();
  const root = env.getStats() as RootStats;
  const all = [root, root.free, ...databases.map((each) => each.getStats() as Stats)];
  const used = all.reduce((sum, stats) => sum + pagesOf(stats), META_PAGES);
  const pages = root.lastPageNumber + 1;
  return { end: pages * root.pageSize, free: Math.max(0, pages - used) * root.pageSize };
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: Stats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

import type { Policy } from '../discovery/policy.ts';
import type { Store } from '../discovery/store.ts';
import type { Millis, Token } from '../discovery/types.ts';
import { type ImportStep, type MovedCluster, nextStep } from './moved.ts';
import { parseCluster, type RawCluster } from './parse.ts';

/** Item is one cluster of a source, or the problem found in its place. */
export interface Item {
  /** Where the item comes from, for messages: `line 7`. */
  readonly where: string;
  readonly cluster: RawCluster | string;
}

export interface ImportCounts {
  imported: number;
  members: number;
  there: number;
  conflicts: number;
  expired: number;
  bad: number;
}

export interface ImportOptions {
  readonly policy: Policy;
  readonly now: Millis;
  readonly counts: ImportCounts;
  /** Called with one line for every conflict and every invalid item. */
  readonly report: (line: string) => void;
  /** Called for every imported or existing token whose cluster was still assembling. */
  readonly onAssembling?: (token: Token) => void;
}

interface Outcome {
  /** The number of written changes. */
  readonly written: number;
  readonly end: Exclude<ImportStep, { type: 'WRITE' }>;
}

/** Carry handles one cluster. */
type Carry = (moved: MovedCluster) => Promise<Outcome>;

/** Returns a Carry that writes what the store does not have yet. */
export function carryInto(store: Pick<Store, 'write'>): Carry {
  return async (moved) => {
    for (let written = 0; ; written++) {
      let step: ImportStep | undefined;
      await store.write(moved.token, (found) => {
        step = nextStep(found, moved);
        return step.type === 'WRITE' ? step.change : undefined;
      });
      if (step === undefined) throw new TypeError('the store did not request a change');
      if (step.type !== 'WRITE') return { written, end: step };
    }
  };
}

/**
 * Returns a Carry for a dry run, which only reads. If the store does not exist yet, everything would be
 * written.
 */
export function lookInto(store: Pick<Store, 'read'> | undefined): Carry {
  return async (moved) => {
    const found = store === undefined ? undefined : (await store.read(moved.token)).cluster;
    const step = nextStep(found, moved);
    return step.type === 'WRITE' ? { written: 1, end: { type: 'DONE' } } : { written: 0, end: step };
  };
}

/** Enough parallel writes to share the store's flushes well. */
const TOKENS_AT_ONCE = 256;

/**
 * Imports clusters, several at once. It never overwrites and can be repeated: existing clusters are left
 * unchanged, and partial ones are completed. Rejects with the store's DiscoveryError if the store fails.
 */
export async function importClusters(
  items: AsyncIterable<Item>,
  carry: Carry,
  options: ImportOptions,
): Promise<void> {
  const source = items[Symbol.asyncIterator]();
  const failure = new AbortController();
  const work = async (): Promise<void> => {
    while (!failure.signal.aborted) {
      const next = await source.next();
      if (next.done === true) return;
      await importOne(next.value, carry, options);
    }
  };
  const workers = Array.from({ length: TOKENS_AT_ONCE }, async () => {
    try {
      await work();
    } catch (error) {
      failure.abort();
      throw error;
    }
  });
  // Waits for all of them, so that nothing is written after this has ended.
  const ends = await Promise.allSettled(workers);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function importOne(
  { where, cluster: raw }: Item,
  carry: Carry,
  { policy, now, counts, report, onAssembling = () => {} }: ImportOptions,
): Promise<void> {
  const moved = typeof raw === 'string' ? raw : parseCluster(raw, policy, now);
  if (typeof moved === 'string') {
    counts.bad += 1;
    report(`${where}: ${moved}`);
    return;
  }
  if (moved.expireTime <= now) {
    counts.expired += 1;
    return;
  }
  const { written, end } = await carry(moved);
  if (end.type === 'CONFLICT') {
    counts.conflicts += 1;
    const part = written === 0 ? '' : `, after ${written} of its changes had been written`;
    report(
      `${where}: conflict: the token already exists in the store and ${end.why}; it was left unchanged${part}`,
    );
    return;
  }
  if (moved.members.length < moved.size) onAssembling(moved.token);
  if (written === 0) counts.there += 1;
  else {
    counts.imported += 1;
    counts.members += moved.members.length;
  }
}

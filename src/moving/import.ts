import type { Policy } from '../discovery/policy.ts';
import type { Store } from '../discovery/store.ts';
import type { Millis, Token } from '../discovery/types.ts';
import { type MovedCluster, nextStep, type Step } from './moved.ts';
import { parseCluster, type RawCluster } from './parse.ts';

/** One cluster of a source, or what is wrong with what stands in its place. */
export interface Item {
  /** Where it comes from, for messages: `line 7`. */
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
  /** Told of every conflict and everything bad, in one line. */
  readonly report: (line: string) => void;
  /** Told of every token that is in the store now, and whose cluster was assembling. */
  readonly onAssembling?: (token: Token) => void;
}

interface Outcome {
  /** How many changes. */
  readonly written: number;
  readonly end: Exclude<Step, { type: 'WRITE' }>;
}

/** What becomes of one cluster. */
type Carry = (moved: MovedCluster) => Promise<Outcome>;

/** Writes what the store does not have yet. */
export function carryInto(store: Pick<Store, 'write'>): Carry {
  return async (moved) => {
    for (let written = 0; ; written++) {
      let step: Step | undefined;
      await store.write(moved.token, (found) => {
        step = nextStep(found, moved);
        return step.type === 'WRITE' ? step.change : undefined;
      });
      if (step === undefined) throw new TypeError('the store did not ask what to write');
      if (step.type !== 'WRITE') return { written, end: step };
    }
  };
}

/** Looks what would be written, in a dry run; into a store that is not there yet everything would. */
export function lookInto(store: Pick<Store, 'read'> | undefined): Carry {
  return async (moved) => {
    const found = store === undefined ? undefined : (await store.read(moved.token)).cluster;
    const step = nextStep(found, moved);
    return step.type === 'WRITE' ? { written: 1, end: { type: 'DONE' } } : { written: 0, end: step };
  };
}

/** As many as share the flushes of a store well. */
const TOKENS_AT_ONCE = 256;

/**
 * Imports clusters, several at once. Never overwrites, and may be run again: what is there already
 * is left, and what is there in part is completed. Rejects with the store's DiscoveryError when it fails.
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
  // All of them: nothing is written after this has ended.
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
    const part = written === 0 ? '' : `, after ${written} of its changes were written`;
    report(`${where}: the store has this token already, and it ${end.why}; it was left alone${part}`);
    return;
  }
  if (moved.members.length < moved.size) onAssembling(moved.token);
  if (written === 0) counts.there += 1;
  else {
    counts.imported += 1;
    counts.members += moved.members.length;
  }
}

import { randomInt } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { decideClose } from '../../../discovery/decide-close.ts';
import { millis, type Token } from '../../../discovery/types.ts';
import { unavailable } from '../../refusals.ts';
import { checkDataFile } from '../check/data-file.ts';
import { damagedFile } from '../check/refusals.ts';
import { Claim } from '../claim.ts';
import { putRevision } from '../counters.ts';
import { makeDirectory, refuseForeign, syncToDisk } from '../directory.ts';
import { openEnvironment } from '../open.ts';
import { openLmdbStore } from '../store.ts';
import { tablesOf } from '../tables.ts';
import { inspectFile } from './inspect.ts';
import type { Contents } from './records.ts';

/**
 * The revisions between a backup and its restore were already assigned once. Without a usable clock,
 * revisions continue at least this much later: far more than are written during the life of a backup, far
 * fewer than the 2^53 that exist.
 */
const REVISIONS_SKIPPED = 1_000_000_000;
/**
 * About a second, in microseconds: restores in the same second, or with a clock that stands still, start at
 * different random offsets.
 */
const MOMENT = 2 ** 20;
/** Far enough that two restores never overlap, and thousands of them fit below 2^53. */
const APART = 2 ** 36;

/** Tokens closed in one transaction, whose size is bounded. A million tokens take a thousand transactions. */
const CLOSED_AT_ONCE = 1000;

/** The working directory of a restore, also one that was left behind by a killed restore. */
const PART = /^restore-[0-9a-f]{8}$/;

export interface RestoreOptions {
  /** Whether existing data is kept aside instead of causing an error. */
  readonly replace: boolean;
  /** Whether assembling clusters continue: no node has registered since the backup. */
  readonly keepAssembling: boolean;
}

export interface Restored extends Contents {
  /** Where the previous data is kept now. */
  readonly before: string | undefined;
  /** The number of tokens that were closed because their clusters were assembling. */
  readonly closedTokens: number;
}

/**
 * Restores a backup into a data directory that no process uses. Existing data causes an error, or is kept
 * aside with `replace`. Nothing is changed if the backup is not intact. Tokens of assembling clusters are
 * closed, because nodes that registered after the backup are unknown.
 */
export async function restore(
  file: string,
  path: string,
  { replace, keepAssembling }: RestoreOptions,
): Promise<Restored> {
  const directory = resolve(path);
  const contents = await inspectFile(file);
  const [problem] = contents.problems;
  if (problem !== undefined) throw unavailable(`${file} is damaged: ${problem}; restore another backup`);
  makeDirectory(directory);
  refuseForeign(directory, 'RESTORE');
  const claim = await Claim.begin(directory);
  try {
    await claim.hold();
    const data = join(directory, 'data.mdb');
    const isThere = existsSync(data);
    if (isThere && !replace) {
      throw unavailable(
        `the data directory ${directory} already has data; choose an empty or new one, or pass --replace to keep the old data aside`,
      );
    }
    // In the same directory, so that the final rename is atomic.
    for (const left of readdirSync(directory).filter((name) => PART.test(name))) {
      rmSync(join(directory, left), { recursive: true });
    }
    const part = join(directory, `restore-${claim.id}`);
    mkdirSync(part, { mode: 0o700 });
    try {
      const copy = join(part, 'data.mdb');
      copyFileSync(file, copy);
      chmodSync(copy, 0o600);
      await skipRevisions(part, isThere ? await revisionOf(directory) : 0);
      const closedTokens = keepAssembling ? 0 : await closeAssembling(part);
      syncToDisk(copy);
      const before = isThere ? freeName(data) : undefined;
      if (before !== undefined) keepAside(data, before);
      // Its readers and transactions belong to the old data.
      rmSync(join(directory, 'lock.mdb'), { force: true });
      renameSync(copy, data);
      syncToDisk(directory);
      return { ...contents, before, closedTokens };
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  } finally {
    await claim.close();
  }
}

/** A second hard link, so that data.mdb exists at every moment, old or new. */
function keepAside(data: string, before: string): void {
  try {
    linkSync(data, before);
  } catch (error) {
    // Not every file system supports hard links.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    renameSync(data, before);
  }
}

/**
 * Returns the revision of the existing data. 0 if it cannot be determined, because the data is damaged or
 * another program's.
 */
async function revisionOf(directory: string): Promise<number> {
  try {
    checkDataFile(join(directory, 'data.mdb'));
    const { env, meta } = tablesOf(openEnvironment(directory, 'READ'));
    try {
      const counter = meta.get('revision');
      return typeof counter === 'number' ? counter : 0;
    } finally {
      await env.close();
    }
  } catch {
    return 0;
  }
}

/** `atLeast` was already assigned by the replaced data. */
async function skipRevisions(directory: string, atLeast: number): Promise<void> {
  const env = openEnvironment(directory, 'WRITE');
  try {
    const tables = tablesOf(env);
    const counter = tables.meta.get('revision');
    if (typeof counter !== 'number') throw damagedFile('the revision counter is missing');
    const after = revisionAfter(Math.max(counter, atLeast), Date.now());
    tables.meta.transactionSync(() => putRevision(tables, after));
  } finally {
    await env.close();
  }
}

/**
 * Returns the revision from which a restored store continues, after all that any copy of the data can have
 * assigned. A backup may be restored several times, and each copy then has its own writes. Microseconds since
 * 1970 increase faster than any disk can write, and stay below 2^53 until 2255, so successive restores start
 * after each other. If the clock cannot separate them, because it stands still or is behind the data, a
 * random offset does.
 */
export function revisionAfter(known: number, nowMs: number): number {
  const now = nowMs * 1000;
  const isClockRight = known < now;
  return isClockRight ? now + randomInt(MOMENT) : known + REVISIONS_SKIPPED + randomInt(APART);
}

/** Uses the store, so that the records stay consistent. Returns the number of closed tokens. */
async function closeAssembling(directory: string): Promise<number> {
  const store = await openLmdbStore({
    path: directory,
    policy: { maxTokens: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER },
  });
  let closed = 0;
  try {
    const now = millis(Date.now());
    for (let after: Token | undefined; ; ) {
      const clusters = await store.list(after, CLOSED_AT_ONCE);
      if (clusters.length === 0) return closed;
      const assembling = clusters.filter((cluster) => decideClose(cluster, now) !== undefined);
      await Promise.all(
        assembling.map(({ token }) => store.write(token, (cluster) => decideClose(cluster, now))),
      );
      closed += assembling.length;
      after = clusters.at(-1)?.token;
    }
  } finally {
    await store.close();
  }
}

function freeName(data: string): string {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  return `${data}.before-${stamp}`;
}

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
import { damaged } from '../check/refusals.ts';
import { Claim } from '../claim.ts';
import { putRevision } from '../counters.ts';
import { makeDirectory, refuseForeign, syncToDisk } from '../directory.ts';
import { openEnvironment } from '../open.ts';
import { openLmdbStore } from '../store.ts';
import { tablesOf } from '../tables.ts';
import { inspectFile } from './inspect.ts';
import type { Contents } from './records.ts';

/**
 * The revisions between a backup and its restoring were given out once already: without a clock, what comes after
 * begins at least this much later. Far more than are written in the lifetime of a backup, far less than the 2^53 there
 * are.
 */
const REVISIONS_SKIPPED = 1_000_000_000;
/** About a second of microseconds: who restores in the same one, or with a clock that stands, begins elsewhere. */
const MOMENT = 2 ** 20;
/** So wide that no two restores come near each other, and thousands of them fit below 2^53. */
const APART = 2 ** 36;

/** Of them in one transaction: its size is bounded, and a million tokens take a thousand. */
const CLOSED_AT_ONCE = 1000;

/** What a restore works in, or one that was killed left behind. */
const PART = /^restore-[0-9a-f]{8}$/;

export interface RestoreOptions {
  /** Whether data that is there is kept aside, and no reason to refuse. */
  readonly replace: boolean;
  /** Whether clusters that were assembling go on: no node has registered since the backup. */
  readonly keepAssembling: boolean;
}

export interface Restored extends Contents {
  /** Where the data that was there before is kept now. */
  readonly before: string | undefined;
  /** How many tokens were closed, as their clusters were assembling. */
  readonly closedTokens: number;
}

/**
 * Puts a backup into a data directory that nobody is using. Data that is there already is refused, or with
 * `replace` kept aside. Nothing is changed when the backup is not whole. A token whose cluster was assembling is
 * closed: who registered after the backup is not known.
 */
export async function restore(
  file: string,
  path: string,
  { replace, keepAssembling }: RestoreOptions,
): Promise<Restored> {
  const directory = resolve(path);
  const contents = await inspectFile(file);
  const [problem] = contents.problems;
  if (problem !== undefined) throw unavailable(`${file} is not whole: ${problem}; restore another backup`);
  makeDirectory(directory);
  refuseForeign(directory, 'RESTORE');
  const claim = await Claim.begin(directory);
  try {
    await claim.hold();
    const data = join(directory, 'data.mdb');
    const isThere = existsSync(data);
    if (isThere && !replace) {
      throw unavailable(
        `the data directory ${directory} has data already; choose an empty or new one, or give --replace, which keeps the old data aside`,
      );
    }
    // In the same directory, so that the step at the end is one.
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
      // What it says of readers and transactions is about the old data.
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

/** Under a second name: data.mdb is there at every moment, the old one or the new one. */
function keepAside(data: string, before: string): void {
  try {
    linkSync(data, before);
  } catch (error) {
    // Not every file system has second names.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    renameSync(data, before);
  }
}

/** The revision of the data that is there; 0 when it cannot be told, as it is damaged or another program's. */
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

/** `atLeast` was given out, too, by the data that is replaced. */
async function skipRevisions(directory: string, atLeast: number): Promise<void> {
  const env = openEnvironment(directory, 'WRITE');
  try {
    const tables = tablesOf(env);
    const counter = tables.meta.get('revision');
    if (typeof counter !== 'number') throw damaged('the revision counter is missing');
    const after = revisionAfter(Math.max(counter, atLeast), Date.now());
    tables.meta.transactionSync(() => putRevision(tables, after));
  } finally {
    await env.close();
  }
}

/**
 * Where revisions go on after a restore, behind all that any copy of the data can have given out. A backup may be
 * restored more than once, and each has writes of its own. The microseconds since 1970 outrun every disk's writes, and
 * are below 2^53 until 2255: restores one after the other begin one behind the other. Where the clock cannot tell them
 * apart, as it stands or is behind the data, chance does.
 */
export function revisionAfter(known: number, nowMs: number): number {
  const now = nowMs * 1000;
  const isClockRight = known < now;
  return isClockRight ? now + randomInt(MOMENT) : known + REVISIONS_SKIPPED + randomInt(APART);
}

/** Through the store, so that the records stay whole. Returns how many tokens it closed. */
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

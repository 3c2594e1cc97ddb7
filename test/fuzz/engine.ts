import assert from 'node:assert/strict';
import type { Random } from '../store/support/random.ts';
import { toLine } from './corpus.ts';
import type { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import type { Target } from './target.ts';

const MAX_BYTES = 2048;
/** Inputs between two reads of the counters, because a read takes milliseconds. */
const BATCH = 100;
/** Far longer than any input takes. */
const HANG_MS = 20_000;
const NEVER_ENDS = 'it does not end';

/** The result of a run. */
export interface FuzzRun {
  readonly tried: number;
  /** Inputs that ran code that no other had. */
  readonly found: readonly Buffer[];
}

/** Tries the inputs of a corpus. The error of a failure names the input. */
export async function replayCorpus(target: Target, corpus: readonly Buffer[]): Promise<void> {
  for (const input of corpus) {
    const error = await failureOf(target, input);
    if (error !== undefined) throw reportOf(target, input, error);
  }
}

/**
 * Derives inputs from a corpus while `shouldContinue` returns true, and keeps those that run new code as a base for more.
 * Throws the first failure, with its input as short as possible.
 */
export async function fuzz(
  target: Target,
  corpus: readonly Buffer[],
  random: Random,
  coverage: Coverage | undefined,
  shouldContinue: (tried: number) => boolean,
): Promise<FuzzRun> {
  const pool = corpus.length === 0 ? [Buffer.alloc(0)] : [...corpus];
  const found: Buffer[] = [];
  let tried = 0;
  coverage?.forget();
  for (const input of pool) await failureOf(target, input);
  coverage?.isNew(true);
  while (shouldContinue(tried)) {
    const batch: Buffer[] = [];
    while (batch.length < BATCH && shouldContinue(tried)) {
      const input = made(target, pool, random);
      batch.push(input);
      tried += 1;
      const error = await failureOf(target, input);
      if (error === undefined) continue;
      // Waiting for every shortened input to hang would take too long.
      if (error.message === NEVER_ENDS) throw reportOf(target, input, error);
      const short = await shortest(target, input, error);
      throw reportOf(target, short, (await failureOf(target, short)) ?? error);
    }
    if (coverage?.isNew(false)) {
      for (const input of await findNew(target, batch, coverage)) {
        pool.push(input);
        found.push(input);
      }
    }
  }
  return { tried, found };
}

function made(
  { words, maxBytes = MAX_BYTES, mutate }: Target,
  pool: readonly Buffer[],
  random: Random,
): Buffer {
  // The latest findings are closest to undiscovered code.
  const input = random.chance(0.3) ? random.pick(pool.slice(-8)) : random.pick(pool);
  if (mutate !== undefined && random.chance(0.5)) return mutate(input, random).subarray(0, maxBytes);
  return mutated(input, random, words, pool, maxBytes);
}

/** Returns the inputs that run new code. Bisects, because most do not. */
async function findNew(target: Target, inputs: readonly Buffer[], coverage: Coverage): Promise<Buffer[]> {
  const only = inputs.length === 1;
  coverage.isNew(false);
  for (const input of inputs) await failureOf(target, input);
  if (!coverage.isNew(only)) return [];
  if (only) return [...inputs];
  const half = inputs.length >> 1;
  return [
    ...(await findNew(target, inputs.slice(0, half), coverage)),
    ...(await findNew(target, inputs.slice(half), coverage)),
  ];
}

/** Returns the fewest inputs, shortest first, that run all new code. */
export async function distilled(
  target: Target,
  inputs: readonly Buffer[],
  coverage: Coverage,
  corpus: readonly Buffer[],
): Promise<Buffer[]> {
  coverage.forget();
  for (const input of corpus) await failureOf(target, input);
  coverage.isNew(true);
  const kept: Buffer[] = [];
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    await failureOf(target, input);
    if (coverage.isNew(true)) kept.push(input);
  }
  return kept;
}

/** Removes smaller and smaller parts of an input as long as it fails in the same way. */
export async function shortest(target: Target, input: Buffer, error: Error): Promise<Buffer> {
  const isSame = (other: Error | undefined): boolean =>
    other !== undefined && kindOf(other) === kindOf(error);
  let result = input;
  for (let size = result.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < result.length; ) {
      const shorter = Buffer.concat([result.subarray(0, at), result.subarray(at + size)]);
      if (isSame(await failureOf(target, shorter))) result = shorter;
      else at += size;
    }
  }
  return result;
}

const kindOf = ({ name, message }: Error): string => `${name}: ${message.slice(0, 24)}`;

async function failureOf({ check }: Target, input: Buffer): Promise<Error | undefined> {
  try {
    const result = check(input);
    if (result instanceof Promise) await inTime(result);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function inTime(checking: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(NEVER_ENDS)), HANG_MS);
  });
  try {
    await Promise.race([checking, never]);
  } finally {
    clearTimeout(timer);
  }
}

function reportOf({ name }: Target, input: Buffer, error: Error): Error {
  const line = toLine(input);
  const text = `${name}: ${error.message}\nthe input as a line of test/fuzz/corpus/${name}.txt:\n${line}`;
  return new assert.AssertionError({ message: `${text}\n${error.stack ?? ''}` });
}

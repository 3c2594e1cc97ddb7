import type { Random } from '../store/support/random.ts';

/** A parser of outside bytes, and what holds for it whatever it is given. */
export interface Target {
  /** Its corpus is the file of this name. */
  readonly name: string;
  /** Words of its language, from which inputs are put together. */
  readonly words: readonly string[];
  /** Longer inputs are cut. */
  readonly maxBytes?: number;
  /** What part of the usual number of inputs a bounded run tries: less than 1 where each takes long. */
  readonly share?: number;
  /** The longest to try, in bytes, where less than 64 KiB can come. */
  readonly longest?: number;
  /** A mutation that knows the form of the input, tried as often as those of bytes. */
  readonly mutate?: (input: Buffer, random: Random) => Buffer;
  /** Throws, or rejects, when something does not hold. */
  readonly check: (input: Buffer) => unknown;
  readonly close?: () => Promise<void>;
}

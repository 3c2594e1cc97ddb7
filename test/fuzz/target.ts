import type { Random } from '../store/support/random.ts';

/** A parser of outside bytes, and the properties that must hold for any input. */
export interface Target {
  /** The name of its corpus file. */
  readonly name: string;
  /** Words of its language, from which inputs are built. */
  readonly words: readonly string[];
  /** Longer inputs are truncated. */
  readonly maxBytes?: number;
  /** The fraction of the usual number of inputs in a bounded run: less than 1 where each takes long. */
  readonly share?: number;
  /** The longest input to try, in bytes, where less than 64 KiB can arrive. */
  readonly longest?: number;
  /** A mutation that knows the format of the input, used as often as those of bytes. */
  readonly mutate?: (input: Buffer, random: Random) => Buffer;
  /** Throws, or rejects, if a property does not hold. */
  readonly check: (input: Buffer) => unknown;
  readonly close?: () => Promise<void>;
}

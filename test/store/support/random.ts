import { randomInt } from 'node:crypto';

/** Returns and prints the seed of this run: ETCD_DISCOVERY_TEST_SEED, which repeats a failed run, or else a new one. */
export function seedOfRun(): number {
  const given = process.env['ETCD_DISCOVERY_TEST_SEED'];
  const seed = given === undefined || given === '' ? randomInt(2 ** 31) : Number(given);
  console.log(`seed ${seed} (repeat with ETCD_DISCOVERY_TEST_SEED=${seed})`);
  return seed;
}

/** A pseudo-random generator that depends on its seed only. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0 inclusive to 1 exclusive, by the mulberry32 generator. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns a whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)] as T;
  }
}

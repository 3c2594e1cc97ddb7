import { Random } from '../store/support/random.ts';
import { failureText } from './explore.ts';
import { playRandom, shrink } from './random.ts';
import { type Setup, setupOf } from './setup.ts';

/** Runs stories over the stores that `newData` creates. Returns the first failure, shortened, as a text. */
export async function playMany(
  seed: number,
  count: number,
  data: Pick<Setup, 'newData' | 'newsMs'>,
): Promise<string | undefined> {
  const random = new Random(seed);
  for (let i = 0; i < count; i++) {
    const size = random.between(1, 5);
    const dialects = Array.from({ length: size + random.between(0, 2) }, () => random.pick(['2', '3'])).join(
      '',
    );
    const few = (): number => random.between(0, 2);
    const plain = setupOf(size, dialects, { cuts: few(), crashes: few(), breaks: few(), restarts: few() });
    const setup = { ...plain, ...data, isFine: random.chance(0.8) };
    const found = await playRandom(setup, random, random.next() / 3);
    if (found === undefined) continue;
    return `seed ${seed}, story ${i}: ${failureText(plain.name, await shrink(setup, found))}`;
  }
  return undefined;
}

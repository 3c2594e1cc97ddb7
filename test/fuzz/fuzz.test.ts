import { after, suite, test } from 'node:test';
import { slow } from '../slow.ts';
import { Random } from '../store/support/random.ts';
import { readCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { fuzz, replayCorpus } from './engine.ts';
import type { Target } from './target.ts';

/** Inputs for each target by default. For a long run by hand, use `npm run fuzz`. */
const RUNS = slow ? 10_000 : 100;

// Fixed, so that a result depends only on the change under test. `npm run fuzz` looks for new failures.
const random = new Random(Number(process.env['ETCD_DISCOVERY_TEST_SEED'] ?? 1));
// Coverage guides long runs only: reading the counters takes longer than trying a few inputs.
const coverage = slow ? new Coverage() : undefined;
// V8 counts by block only in files loaded after this.
const { TARGETS } = await import('./targets.ts');

after(() => coverage?.close());

for (const target of TARGETS) {
  suite(target.name, () => {
    after(() => target.close?.());
    const corpus = readCorpus(target.name);

    test('its corpus passes', () => replayCorpus(target, corpus));

    test('inputs derived from it pass', async (context) => {
      const { share = 1 } = target;
      const shouldContinue = (tried: number): boolean => tried < RUNS * share;
      // Finding the input that ran new code costs a dozen times as much as trying it.
      const guide = share < 0.1 ? undefined : coverage;
      const { tried, found } = await fuzz(target, corpus, random, guide, shouldContinue);
      context.diagnostic(`${tried} inputs, of which ${found.length} ran new code`);
    });

    test('long inputs take time in proportion to their length', async () => {
      for (const length of [1024, target.longest ?? 64 * 1024]) {
        for (const input of longInputs(target, corpus, length)) await replayCorpus(target, [input]);
      }
    });
  });
}

/** Repeated words and parts of the corpus. A parser with polynomial time would not end. */
function* longInputs({ words }: Target, corpus: readonly Buffer[], length: number): Generator<Buffer> {
  const some = words.filter((_, i) => i % Math.ceil(words.length / 12) === 0);
  for (const one of [...some, 'a', '1', ' ', '"', '=', '/', ',', '('])
    yield Buffer.alloc(length, one, 'latin1');
  for (let i = 0; i < 12 && corpus.length > 0; i += 1) {
    const input = random.pick(corpus);
    const from = random.between(0, input.length);
    const part = input.subarray(from, from + random.between(1, 8));
    if (part.length === 0) continue;
    yield Buffer.concat([input.subarray(0, from), Buffer.alloc(length, part), input.subarray(from)]);
  }
}

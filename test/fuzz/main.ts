// `npm run fuzz`: tries generated inputs on the parsers for the given time.
// npm run fuzz                                     a minute over all targets
// npm run fuzz -- --minutes 10 --target forwarded  ten minutes for one
// npm run fuzz -- --keep                           adds inputs to the corpora that ran new code, or failed

import { parseArgs } from 'node:util';
import { Random, seedOfRun } from '../store/support/random.ts';
import { fromLine, readCorpus, writeCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { distilled, fuzz, replayCorpus } from './engine.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    target: { type: 'string', multiple: true },
    keep: { type: 'boolean', default: false },
    unguided: { type: 'boolean', default: false },
  },
});
const random = new Random(seedOfRun());
const coverage = new Coverage();
// V8 counts by block only in files loaded after this.
const { TARGETS } = await import('./targets.ts');
const chosen = TARGETS.filter(({ name }) => options.target?.includes(name) ?? true);
if (chosen.length === 0) throw new TypeError(`the targets are ${TARGETS.map(({ name }) => name).join(' ')}`);
const each = (Number(options.minutes) * 60_000) / chosen.length;

for (const target of chosen) {
  const corpus = readCorpus(target.name);
  const begin = performance.now();
  try {
    await replayCorpus(target, corpus);
    const shouldContinue = (): boolean => performance.now() - begin < each;
    const { tried, found } = await fuzz(
      target,
      corpus,
      random,
      options.unguided ? undefined : coverage,
      shouldContinue,
    );
    const seconds = (performance.now() - begin) / 1000;
    const { size } = coverage;
    console.log(
      `${target.name.padEnd(22)} ${tried} inputs, ${Math.round(tried / seconds)}/s; ${corpus.length} of the corpus and ${found.length} found made ${size} characters of code run`,
    );
    if (options.keep && found.length > 0) {
      const kept = await distilled(target, found, coverage, corpus);
      writeCorpus(target.name, [...corpus, ...kept]);
    }
  } catch (error) {
    process.exitCode = 1;
    const { message } = error as Error;
    console.log(message);
    const line = /\.txt:\n(.*)\n/.exec(message)?.[1];
    if (options.keep && line !== undefined) writeCorpus(target.name, [...corpus, fromLine(line)]);
  }
  await target.close?.();
}
coverage.close();
